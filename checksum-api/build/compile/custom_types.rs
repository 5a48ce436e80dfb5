//! Finds the component schemas that become types of this crate instead of progenitor's: identifiers,
//! open enumerations and gates.

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, TypeImpl};
use quote::{format_ident, quote};
use serde_json::Value;

use super::document::{GenerationError, fields, pascal_case, schemas, text};

pub(super) struct CustomTypes(Vec<CustomType>);

struct CustomType {
    name: String,
    description: String,
    kind: Kind,
    /// `x-gate`: the value decides whether a run passed, so it is kept even if it cannot be read.
    is_gate: bool,
}

enum Kind {
    /// Known values or any other string: an open enumeration. With `x-outcomes`, each known value
    /// has a meaning.
    OpenEnum {
        values: Vec<String>,
        outcomes: Option<Vec<String>>,
    },
    /// `pattern`: an identifier, which cannot change a request's path.
    Identifier,
    /// `x-gate` on an integer or a boolean, and its Rust type.
    Gate(&'static str),
}

impl CustomTypes {
    pub(super) fn of(document: &Value) -> Result<Self, GenerationError> {
        let mut types = Vec::new();
        for (name, schema) in schemas(document) {
            if let Some(kind) = kind(name, schema)? {
                types.push(CustomType {
                    name: name.clone(),
                    description: text(schema, "description").trim().to_owned(),
                    kind,
                    is_gate: schema["x-gate"] == true,
                });
            }
        }
        Ok(Self(types))
    }

    /// Makes progenitor use these types in place of its own.
    pub(super) fn replace(&self, settings: &mut GenerationSettings) {
        for custom in &self.0 {
            let path = format!("crate::generated::custom::{}", custom.name);
            let (path, impls) = match (&custom.kind, custom.is_gate) {
                (Kind::Gate(_), _) => (path, vec![]),
                (_, true) => (format!("crate::decode::gate::Lenient<{path}>"), vec![]),
                (_, false) => (path, vec![TypeImpl::Display, TypeImpl::FromStr]),
            };
            settings.with_replacement(&custom.name, path, impls.into_iter());
        }
    }

    pub(super) fn tokens(&self) -> TokenStream {
        let types = self.0.iter().map(CustomType::tokens);
        quote! {
            /// The open enumerations, identifiers and gates of the document.
            pub mod custom {
                use crate::decode::{identifier::identifier, open_enum::open_enum};
                #(#types)*
            }
        }
    }
}

impl CustomType {
    fn tokens(&self) -> TokenStream {
        let name = format_ident!("{}", self.name);
        let description = &self.description;
        match &self.kind {
            Kind::Identifier => quote! { identifier! { #[doc = #description] #name } },
            Kind::Gate(inner) => {
                let inner = format_ident!("{inner}");
                quote! {
                    #[doc = #description]
                    pub type #name = crate::decode::gate::Lenient<#inner>;
                }
            }
            Kind::OpenEnum { values, outcomes } => {
                let variants: Vec<_> = values
                    .iter()
                    .map(|value| format_ident!("{}", pascal_case(value)))
                    .collect();
                let documentation = values.iter().map(|value| format!("`{value}`"));
                let outcomes = outcomes.as_ref().map(|outcomes| {
                    let outcomes = outcomes
                        .iter()
                        .map(|outcome| format_ident!("{}", pascal_case(outcome)));
                    quote! {
                        impl #name {
                            /// Returns the meaning of the value for a program that waits for a
                            /// success; `None` for a value that the document does not list.
                            pub fn meaning(&self) -> Option<crate::operation::Meaning> {
                                match self {
                                    #(Self::#variants => Some(crate::operation::Meaning::#outcomes),)*
                                    Self::Unrecognised(_) => None,
                                }
                            }
                        }
                    }
                });
                quote! {
                    open_enum! {
                        #[doc = #description]
                        #name { #(#[doc = #documentation] #variants => #values),* }
                    }
                    #outcomes
                }
            }
        }
    }
}

fn kind(name: &str, schema: &Value) -> Result<Option<Kind>, GenerationError> {
    let place = format!("#/components/schemas/{name}");
    let is_text = text(schema, "type") == "string";
    if schema.get("enum").is_some() {
        return Err(GenerationError::new(
            format!("{place}/enum"),
            "a closed enumeration makes a response with a new value undecodable; list the values \
             under `anyOf`, beside a plain string",
        ));
    }
    if let Some(values) = known_values(schema) {
        let values: Vec<String> = serde_json::from_value(values.clone())
            .map_err(|error| GenerationError::new(format!("{place}/anyOf"), error))?;
        if !is_text {
            let message = "known values must be of type string";
            return Err(GenerationError::new(format!("{place}/type"), message));
        }
        let outcomes = match schema.get("x-outcomes") {
            None => None,
            Some(outcomes) => Some(meanings(&format!("{place}/x-outcomes"), outcomes, &values)?),
        };
        return Ok(Some(Kind::OpenEnum { values, outcomes }));
    }
    if is_text && schema.get("pattern").is_some() {
        return Ok(Some(Kind::Identifier));
    }
    if schema["x-gate"] != true {
        return Ok(None);
    }
    match text(schema, "type") {
        "integer" => Ok(Some(Kind::Gate("u64"))),
        "boolean" => Ok(Some(Kind::Gate("bool"))),
        _ => Err(GenerationError::new(
            format!("{place}/x-gate"),
            "only an integer, a boolean or known values can be a gate",
        )),
    }
}

/// Returns the values of `anyOf: [{type: string, enum: […]}, {type: string}]`.
fn known_values(schema: &Value) -> Option<&Value> {
    schema["anyOf"]
        .as_array()?
        .iter()
        .find_map(|one| one.get("enum"))
}

/// Returns the meaning of each value. A value without a meaning is an error.
fn meanings(
    place: &str,
    outcomes: &Value,
    values: &[String],
) -> Result<Vec<String>, GenerationError> {
    let unlisted = fields(outcomes).find(|(value, _)| !values.contains(value));
    if let Some((value, _)) = unlisted {
        let message = format!("`{value}` is not among the known values");
        return Err(GenerationError::new(place, message));
    }
    values
        .iter()
        .map(|value| match outcomes[value].as_str() {
            Some(meaning) => Ok(meaning.to_owned()),
            None => Err(GenerationError::new(
                place,
                format!("the known value `{value}` has no outcome: say what it means for a gate"),
            )),
        })
        .collect()
}
