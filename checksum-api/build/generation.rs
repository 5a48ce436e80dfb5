//! From the text of the document to the text of the generated module.
//!
//! The build script is the one that runs this on every build; it is a module of its own so that
//! `cargo xtask` can run the very same code.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::{format_ident, quote};
use serde_json::Value;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// What is wrong with the document, and where.
#[derive(Debug)]
pub(crate) struct GenerationError {
    /// A JSON pointer into the document, or a line and column of its text.
    place: String,
    message: String,
}

impl GenerationError {
    fn new(place: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            place: place.into(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for GenerationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for GenerationError {}

/// Compiles the document into Rust source.
pub(crate) fn generate(yaml: &str) -> Result<String, GenerationError> {
    let document: Value = serde_saphyr::from_str(yaml).map_err(|error| {
        let place = error.location().map_or_else(
            || "document".to_owned(),
            |location| format!("line {}, column {}", location.line(), location.column()),
        );
        GenerationError::new(place, error.without_snippet())
    })?;
    check_references(&document, &document, "#")?;
    check_success_responses(&document)?;

    let vocabulary = Vocabulary::of(&document)?;
    let client = client_tokens(&document, &vocabulary)?;
    let words = vocabulary.tokens();
    let operations = operation_table(&document)?;
    let file = syn::parse2(quote! { #client #words #operations })
        .map_err(|error| GenerationError::new("#", format!("generated code: {error}")))?;
    Ok(prettyplease::unparse(&file))
}

/// A string schema that becomes a hand-made type in place of progenitor's closed ones.
struct Word {
    name: String,
    description: String,
    kind: WordKind,
    /// `x-gate`: it can take a pass away, so that a value that cannot be read is kept.
    is_gate: bool,
}

enum WordKind {
    /// `x-extensible-enum`: the known values of an enumeration that stays open.
    OpenEnum(Vec<String>),
    /// `pattern`: an identifier, which is refused where it would change a request's path.
    Identifier,
    /// `x-gate` on a number or a truth value, by the Rust type that it is read as.
    Gate(&'static str),
}

struct Vocabulary(Vec<Word>);

impl Vocabulary {
    fn of(document: &Value) -> Result<Self, GenerationError> {
        let mut words = Vec::new();
        for (name, schema) in members(document, "/components/schemas") {
            let place = format!("#/components/schemas/{name}");
            let is_gate = schema["x-gate"] == true;
            let kind = if let Some(values) = schema.get("x-extensible-enum") {
                let values: Vec<String> =
                    serde_json::from_value(values.clone()).map_err(|error| {
                        GenerationError::new(format!("{place}/x-extensible-enum"), error)
                    })?;
                WordKind::OpenEnum(values)
            } else if schema.get("enum").is_some() {
                return Err(GenerationError::new(
                    format!("{place}/enum"),
                    "a closed enumeration makes a response with a new value undecodable; \
                     list the values under `x-extensible-enum`",
                ));
            } else if schema.get("pattern").is_some() {
                WordKind::Identifier
            } else if is_gate {
                WordKind::Gate(match text(schema, "type") {
                    "integer" => "u64",
                    "boolean" => "bool",
                    _ => {
                        return Err(GenerationError::new(
                            format!("{place}/x-gate"),
                            "only an integer, a boolean or an open enumeration can be a gate",
                        ));
                    }
                })
            } else {
                continue;
            };
            let is_text = !matches!(kind, WordKind::Gate(_));
            if is_text && text(schema, "type") != "string" {
                return Err(GenerationError::new(
                    format!("{place}/type"),
                    "an open enumeration or identifier must be of type string",
                ));
            }
            words.push(Word {
                name: name.clone(),
                description: text(schema, "description").trim().to_owned(),
                kind,
                is_gate,
            });
        }
        Ok(Self(words))
    }

    fn tokens(&self) -> TokenStream {
        let words = self.0.iter().map(|word| {
            let name = format_ident!("{}", word.name);
            let description = &word.description;
            match &word.kind {
                WordKind::Identifier => quote! {
                    identifier! { #[doc = #description] #name }
                },
                WordKind::Gate(inner) => {
                    let inner = format_ident!("{inner}");
                    quote! {
                        #[doc = #description]
                        pub type #name = crate::Lenient<#inner>;
                    }
                }
                WordKind::OpenEnum(values) => {
                    let variants = values.iter().map(|value| {
                        let variant = format_ident!("{}", pascal_case(value));
                        let documentation = format!("`{value}`");
                        quote! { #[doc = #documentation] #variant => #value }
                    });
                    quote! {
                        open_enum! { #[doc = #description] #name { #(#variants),* } }
                    }
                }
            }
        });
        quote! {
            /// The open enumerations and identifiers of the document.
            pub mod words {
                use crate::{identifier::identifier, open_enum::open_enum};
                #(#words)*
            }
        }
    }
}

fn client_tokens(
    document: &Value,
    vocabulary: &Vocabulary,
) -> Result<TokenStream, GenerationError> {
    let error = match try_client_tokens(document, vocabulary) {
        Ok(tokens) => return Ok(tokens),
        Err(error) => error,
    };
    // Progenitor's errors and panics do not say where: find the part that fails on its own.
    let without_paths = with_paths(document, serde_json::Map::new());
    if let Err(error) = try_client_tokens(&without_paths, vocabulary) {
        return Err(GenerationError::new("#/components", error));
    }
    for (path, item) in members(document, "/paths") {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let single = serde_json::json!({ path: { method: operation } });
            let part = with_paths(document, single.as_object().cloned().unwrap_or_default());
            if let Err(error) = try_client_tokens(&part, vocabulary) {
                let place = format!("#/paths/{}/{method}", escaped(path));
                return Err(GenerationError::new(place, error));
            }
        }
    }
    Err(GenerationError::new("#", error))
}

fn with_paths(document: &Value, paths: serde_json::Map<String, Value>) -> Value {
    let mut document = document.clone();
    document["paths"] = Value::Object(paths);
    document
}

fn try_client_tokens(document: &Value, vocabulary: &Vocabulary) -> Result<TokenStream, String> {
    let openapi: OpenAPI =
        serde_path_to_error::deserialize(document.clone()).map_err(|error| error.to_string())?;
    // Progenitor panics on some documents. Its message is kept, its backtrace is not.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        Generator::new(&settings(vocabulary)).generate_tokens(&openapi)
    }));
    std::panic::set_hook(hook);
    match outcome {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "progenitor panicked".to_owned())),
    }
}

fn settings(vocabulary: &Vocabulary) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote! { crate::connection::Connection })
        .with_derive("PartialEq")
        .with_derive("schemars::JsonSchema")
        .with_map_type("::std::collections::BTreeMap");
    for word in &vocabulary.0 {
        let path = format!("crate::generated::words::{}", word.name);
        let (path, impls) = match (&word.kind, word.is_gate) {
            (WordKind::Gate(_), _) => (path, vec![]),
            (_, true) => (format!("crate::Lenient<{path}>"), vec![]),
            (_, false) => (path, vec![TypeImpl::Display, TypeImpl::FromStr]),
        };
        settings.with_replacement(&word.name, path, impls.into_iter());
    }
    settings
}

/// One row for each operation, for what the hooks and the tests need to know of it.
fn operation_table(document: &Value) -> Result<TokenStream, GenerationError> {
    let mut rows = Vec::new();
    for (path, item) in members(document, "/paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let place = format!("#/paths/{}/{method}", escaped(path));
            let id = text(operation, "operationId");
            if id.is_empty() {
                return Err(GenerationError::new(place, "operationId is missing"));
            }
            let summary = text(operation, "summary");
            let deprecated = operation["deprecated"] == true;
            let body = match operation.get("requestBody") {
                None => quote! { None },
                Some(body) if body["required"] == true => quote! { Required },
                Some(_) => quote! { Optional },
            };
            let secret_members = secret_members(document, operation);
            let method = method.to_uppercase();
            rows.push(quote! {
                crate::operation::Operation {
                    id: #id,
                    method: #method,
                    path: #path,
                    summary: #summary,
                    deprecated: #deprecated,
                    body: crate::operation::RequestBody::#body,
                    secret_members: &[#(#secret_members),*],
                }
            });
        }
    }
    Ok(quote! {
        /// Every operation of the document, by path.
        pub static OPERATIONS: &[crate::operation::Operation] = &[#(#rows),*];
    })
}

/// The members of an operation's request body that are passwords, or hold some by name.
fn secret_members<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a str> {
    let resolved = |schema: &'a Value| -> &'a Value {
        let pointer = text(schema, "$ref").trim_start_matches('#');
        match pointer {
            "" => schema,
            pointer => document.pointer(pointer).unwrap_or(schema),
        }
    };
    let body = resolved(&operation["requestBody"]);
    let schema = resolved(&body["content"]["application/json"]["schema"]);
    let is_secret = |(name, schema): (&'a String, &'a Value)| {
        let schema = resolved(schema);
        let places = [schema, &schema["additionalProperties"]];
        let is_password = |place: &&Value| text(place, "format") == "password";
        places.iter().any(is_password).then_some(name.as_str())
    };
    members(schema, "/properties")
        .filter_map(is_secret)
        .collect()
}

/// Every `$ref` must lead somewhere in this document; progenitor would panic.
fn check_references(root: &Value, value: &Value, place: &str) -> Result<(), GenerationError> {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                let found = target
                    .strip_prefix('#')
                    .is_some_and(|pointer| root.pointer(pointer).is_some());
                if !found {
                    let message = format!("`{target}` does not exist in this document");
                    return Err(GenerationError::new(format!("{place}/$ref"), message));
                }
            }
            object.iter().try_for_each(|(key, value)| {
                check_references(root, value, &format!("{place}/{}", escaped(key)))
            })
        }
        Value::Array(array) => array.iter().enumerate().try_for_each(|(index, value)| {
            check_references(root, value, &format!("{place}/{index}"))
        }),
        _ => Ok(()),
    }
}

/// Progenitor takes one success response an operation, counts `default` as one, and generates an
/// arm that is never reached for a code that stands beside its range.
fn check_success_responses(document: &Value) -> Result<(), GenerationError> {
    for (path, item) in members(document, "/paths") {
        for method in METHODS {
            let Some(responses) = item.get(method).and_then(|o| o["responses"].as_object()) else {
                continue;
            };
            let place = format!("#/paths/{}/{method}/responses", escaped(path));
            let success = |code: &&String| code.starts_with('2') || *code == "default";
            let successes: Vec<&str> = responses.keys().filter(success).map(|c| &**c).collect();
            if successes.len() != 1 {
                let message = format!(
                    "expected one success response, found {}: {}",
                    successes.len(),
                    successes.join(", ")
                );
                return Err(GenerationError::new(place, message));
            }
            for code in responses.keys().filter(|code| !code.ends_with("XX")) {
                let range = format!("{}XX", &code[..1]);
                if responses.contains_key(&range) {
                    let message = format!("`{code}` beside `{range}` is never matched");
                    return Err(GenerationError::new(place, message));
                }
            }
        }
    }
    Ok(())
}

fn members<'a>(
    document: &'a Value,
    pointer: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    document
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A key as it stands in a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn pascal_case(value: &str) -> String {
    value
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect()
}
