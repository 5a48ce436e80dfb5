//! The public surface of the generated client, as a text that people read and diffs show.

use std::fmt::Write;

use anyhow::{Context, Result};
use quote::ToTokens;
use syn::visit_mut::VisitMut;
use syn::{Fields, ImplItem, Item, ItemMod, ItemStruct, ReturnType, Type};

use crate::document::{Document, text};

const HEAD: &str = "\
# The public surface of `checksum-api`

Every generated operation and type, read from the generated code. `cargo xtask generate` writes this
file; a change here is a change for everybody who uses the crate.
";

/// The text, from the document and the code that was generated from it.
pub(crate) fn of(document: &Document, code: &str) -> Result<String> {
    let file = syn::parse_file(code).context("the generated code")?;
    let builders = module(&file.items, "builder")?;
    let types = module(&file.items, "types")?;

    let mut surface = HEAD.to_owned();
    surface.push_str("\n## Operations\n\n");
    surface.push_str("| operation | request | parameters | body | response |\n");
    surface.push_str("| --- | --- | --- | --- | --- |\n");
    for operation in document.operations() {
        let builder = builder_of(builders, operation.id())
            .with_context(|| format!("no builder for {}", operation.id()))?;
        let (parameters, body) = arguments(builder);
        let response = response(builders, &builder.ident.to_string())
            .with_context(|| format!("{} cannot be sent", operation.id()))?;
        let body = match (
            body.is_empty(),
            operation.value["requestBody"]["required"] == true,
        ) {
            (true, _) => "none".to_owned(),
            (false, true) => body,
            (false, false) => format!("{body}, optional"),
        };
        writeln!(
            surface,
            "| `{}` | {} {} | {} | {body} | {response} |",
            operation.id(),
            operation.method.to_uppercase(),
            operation.path,
            parameters.join("<br>"),
        )?;
    }

    surface.push_str("\n## Types\n");
    for (name, schema) in document.components("schemas") {
        // What only other languages need has no type here.
        let has_type = structure(types, name).is_some() || uses(code, name);
        if !has_type {
            continue;
        }
        let known = schema["anyOf"].as_array().into_iter().flatten();
        let values = known.filter_map(|one| one.get("enum")?.as_array()).next();
        if let Some(values) = values {
            writeln!(surface, "\n### {name}\n\nOpen enumeration.\n")?;
            for value in values {
                writeln!(surface, "- `{}`", value.as_str().unwrap_or_default())?;
            }
        } else if !text(schema, "pattern").is_empty() {
            writeln!(surface, "\n### {name}\n\nIdentifier.")?;
        } else if schema["x-gate"] == true {
            let kind = text(schema, "type");
            writeln!(surface, "\n### {name}\n\nGate: `Lenient`, {kind}.")?;
        } else {
            let Some(item) = structure(types, name) else {
                continue;
            };
            writeln!(surface, "\n### {name}\n")?;
            for line in fields(item) {
                writeln!(surface, "- {line}")?;
            }
        }
    }
    Ok(surface)
}

/// Whether the code uses the type of that name that the build script makes.
fn uses(code: &str, name: &str) -> bool {
    let path = format!("custom::{name}");
    let mut uses = code.split(&path).skip(1);
    uses.any(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

fn module<'a>(items: &'a [Item], name: &str) -> Result<&'a [Item]> {
    items
        .iter()
        .find_map(|item| match item {
            Item::Mod(ItemMod {
                ident,
                content: Some((_, items)),
                ..
            }) if ident == name => Some(items.as_slice()),
            _ => None,
        })
        .with_context(|| format!("the generated code has no module `{name}`"))
}

fn structures(items: &[Item]) -> impl Iterator<Item = &ItemStruct> {
    items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

fn structure<'a>(items: &'a [Item], name: &str) -> Option<&'a ItemStruct> {
    structures(items).find(|item| item.ident == name)
}

fn builder_of<'a>(builders: &'a [Item], operation: &str) -> Option<&'a ItemStruct> {
    let name = operation.replace('_', "");
    structures(builders).find(|item| item.ident.to_string().eq_ignore_ascii_case(&name))
}

/// The parameters of a builder, and the type of its body.
fn arguments(builder: &ItemStruct) -> (Vec<String>, String) {
    let mut parameters = Vec::new();
    let mut body = String::new();
    for field in &builder.fields {
        let Some(name) = &field.ident else { continue };
        // `Result<T, String>`: a builder holds what was passed, or why it was no T.
        let held = first_argument(&field.ty).unwrap_or(&field.ty);
        match name.to_string().as_str() {
            "client" => {}
            "body" => body = format!("`{}`", short(held)),
            name => parameters.push(format!("`{name}: {}`", short(held))),
        }
    }
    (parameters, body)
}

/// The type that `execute` returns.
fn response(builders: &[Item], builder: &str) -> Option<String> {
    let methods = builders.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() => Some(item),
        _ => None,
    });
    let execute = methods
        .filter(|item| short(&item.self_ty).starts_with(&format!("{builder}<")))
        .flat_map(|item| &item.items)
        .find_map(|item| match item {
            ImplItem::Fn(method) if method.sig.ident == "execute" => Some(method),
            _ => None,
        })?;
    let ReturnType::Type(_, result) = &execute.sig.output else {
        return None;
    };
    Some(format!("`{}`", short(first_argument(result)?)))
}

fn fields(item: &ItemStruct) -> Vec<String> {
    match &item.fields {
        Fields::Named(fields) => fields
            .named
            .iter()
            .map(|field| {
                let name = field.ident.as_ref().map(ToString::to_string);
                let name = name.unwrap_or_default();
                let renamed = match rename(field) {
                    Some(wire) if wire != name => format!(", `{wire}` on the wire"),
                    _ => String::new(),
                };
                format!("`{}.{name}: {}`{renamed}", item.ident, short(&field.ty))
            })
            .collect(),
        Fields::Unnamed(fields) => fields
            .unnamed
            .iter()
            .map(|field| format!("`{}({})`", item.ident, short(&field.ty)))
            .collect(),
        Fields::Unit => Vec::new(),
    }
}

/// What serde calls a field.
fn rename(field: &syn::Field) -> Option<String> {
    let mut name = None;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        // Other settings stand beside it; those that do not parse as `key = value` end the look.
        let _ = attribute.parse_nested_meta(|meta| {
            let value = meta.value().and_then(|value| value.parse::<syn::LitStr>());
            if meta.path.is_ident("rename") {
                name = value.ok().map(|value| value.value());
            }
            Ok(())
        });
    }
    name
}

fn type_arguments(kind: &Type) -> Vec<&Type> {
    let Type::Path(path) = kind else {
        return Vec::new();
    };
    let Some(segment) = path.path.segments.last() else {
        return Vec::new();
    };
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    types.collect()
}

fn first_argument(kind: &Type) -> Option<&Type> {
    type_arguments(kind).into_iter().next()
}

/// A type as people write it: the last segment of each path.
fn short(kind: &Type) -> String {
    struct LastSegment;
    impl VisitMut for LastSegment {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            syn::visit_mut::visit_path_mut(self, path);
            path.leading_colon = None;
            if let Some(last) = path.segments.pop() {
                path.segments.clear();
                path.segments.push_value(last);
            }
        }
    }
    let mut kind = kind.clone();
    LastSegment.visit_type_mut(&mut kind);
    let tokens = kind.to_token_stream().to_string();
    tokens
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace("< ", "<")
        .replace(" ,", ",")
        .replace(",>", ">")
        .replace("& ", "&")
}
