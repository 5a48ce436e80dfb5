//! Renders the public surface of the generated client as text, for people to read and for diffs.

use std::fmt::Write;

use anyhow::{Context, Result};
use quote::ToTokens;
use syn::{ImplItem, Item, ItemStruct, ReturnType};

use crate::document::{Document, fields, text};

const HEAD: &str = "\
# The public surface of `checksum-api`

Every generated operation and type, read from the generated code. `cargo xtask generate` writes this
file; a change here is a change for everybody who uses the crate.

## Operations

| operation | request | parameters | body | response |
| --- | --- | --- | --- | --- |
";

/// Renders the surface of the code that was generated from the document.
pub(crate) fn render(document: &Document, code: &str) -> Result<String> {
    let file = syn::parse_file(code).context("the generated code")?;
    let module = |name: &str| {
        let items = file.items.iter().find_map(|item| match item {
            Item::Mod(module) if module.ident == name => Some(&module.content.as_ref()?.1),
            _ => None,
        });
        items.with_context(|| format!("the generated code has no module `{name}`"))
    };
    let (builders, types) = (module("builder")?, module("types")?);
    let (_, custom) = code
        .split_once("pub mod custom")
        .context("no custom types")?;
    let custom = custom.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut surface = HEAD.to_owned();
    for operation in document.operations() {
        let id = operation.id();
        let builder = structure(builders, &id.replace('_', ""));
        let builder = builder.with_context(|| format!("{id} has no builder"))?;
        let (body, parameters): (Vec<_>, Vec<_>) = builder
            .fields
            .iter()
            .filter_map(|field| Some((field.ident.as_ref()?.to_string(), short(&field.ty))))
            .filter(|(name, _)| name != "client")
            .partition(|(name, _)| name == "body");
        // A builder holds each value as `Result<T, String>`.
        let held = |kind: &str| kind.replacen("Result<", "", 1).replace(", String>", "");
        let parameters = parameters
            .iter()
            .map(|(name, kind)| format!("`{name}: {}`", held(kind)));
        let body = body.first().map_or_else(String::new, |(_, kind)| {
            let is_required = operation.value["requestBody"]["required"] == true;
            let optional = if is_required { "" } else { ", optional" };
            format!("`{}`{optional}", held(kind))
        });
        writeln!(
            surface,
            "| `{id}` | {} {} | {} | {body} | `{}` |",
            operation.method.to_uppercase(),
            operation.path,
            parameters.collect::<Vec<_>>().join("<br>"),
            response(builders, builder).with_context(|| format!("{id} cannot be sent"))?,
        )?;
    }

    surface += "\n## Types\n";
    for (name, schema) in fields(&document.value()["components"]["schemas"]) {
        let values = schema["anyOf"][0]["enum"].as_array();
        let text = if let Some(item) = structure(types, name) {
            fields_of(item)
        } else if let Some((_, alias)) = custom.split_once(&format!("pub type {name} = ")) {
            format!("`{}`\n", alias.split(';').next().unwrap_or_default())
        } else if !text(schema, "pattern").is_empty() {
            "Identifier.\n".to_owned()
        } else if let Some(values) = values.filter(|_| custom.contains(&format!(" {name} {{"))) {
            let values = values.iter().filter_map(|value| value.as_str());
            let values = values.map(|value| format!("- `{value}`\n"));
            format!("Open enumeration.\n\n{}", values.collect::<String>())
        } else {
            // Only generators for other languages need it.
            continue;
        };
        write!(surface, "\n### {name}\n\n{text}")?;
    }
    Ok(surface)
}

fn structure<'a>(items: &'a [Item], name: &str) -> Option<&'a ItemStruct> {
    items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident.to_string().eq_ignore_ascii_case(name) => Some(item),
        _ => None,
    })
}

/// Returns the type that `execute` returns for a successful response.
fn response(builders: &[Item], builder: &ItemStruct) -> Option<String> {
    let methods = builders.iter().filter_map(|item| match item {
        Item::Impl(item) if short(&item.self_ty) == format!("{}<'a>", builder.ident) => {
            Some(&item.items)
        }
        _ => None,
    });
    methods.flatten().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == "execute" => {
            let ReturnType::Type(_, kind) = &method.sig.output else {
                return None;
            };
            let kind = short(kind);
            let success = kind.strip_prefix("Result<")?;
            Some(success.split_once(", ")?.0.to_owned())
        }
        _ => None,
    })
}

/// Returns a line for each field, with its name in JSON.
fn fields_of(item: &ItemStruct) -> String {
    let line = |field: &syn::Field| {
        let kind = short(&field.ty);
        let Some(name) = &field.ident else {
            return format!("- `{}({kind})`\n", item.ident);
        };
        let json = match json_name(field) {
            Some(json) if *name != json => format!(", `{json}` on the wire"),
            _ => String::new(),
        };
        format!("- `{}.{name}: {kind}`{json}\n", item.ident)
    };
    item.fields.iter().map(line).collect()
}

/// Returns serde's name of a field, if it is renamed.
fn json_name(field: &syn::Field) -> Option<String> {
    let attributes = field.attrs.iter().map(short);
    let mut names = attributes.filter_map(|attribute| {
        let (_, name) = attribute.split_once("rename=\"")?;
        Some(name.split_once('"')?.0.to_owned())
    });
    names.next()
}

/// Returns code without the modules of its paths and without spaces.
fn short(code: &impl ToTokens) -> String {
    let code = code.to_token_stream().to_string().replace(' ', "");
    let parts = code.split_inclusive(['<', '>', ',', '(']);
    let parts = parts.filter_map(|part| part.rsplit("::").next());
    let code = parts.collect::<String>().replace(',', ", ");
    code.replace(", >", ">")
}
