//! JSON Schema in two dialects, OpenAPI 3.0's and the one that schemars writes, reduced to what a
//! value may be, so that they can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a value may be. Texts for people, and how a schema is put together, are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Anything at all.
    Any,
    /// A string, with the known values of an open enumeration.
    Word { values: BTreeSet<String> },
    /// A number, boolean or integer: its type and format.
    Plain { kind: String, format: String },
    /// A list.
    List(Box<Shape>),
    /// An object.
    Object {
        members: BTreeMap<String, Member>,
        /// What other members may be.
        others: Option<Box<Shape>>,
    },
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) shape: Shape,
    /// Whether it has to be there and to be something. What may be missing or null is the same
    /// to the client: `Option`.
    pub(crate) required: bool,
}

/// A schema of the document.
pub(crate) fn of_document(document: &Value, schema: &Value) -> Shape {
    shape(schema, &|reference| {
        document.pointer(reference.strip_prefix('#')?)
    })
}

/// A schema that schemars made.
pub(crate) fn of_type(schema: &Value) -> Shape {
    shape(schema, &|reference| {
        schema.pointer(reference.strip_prefix('#')?)
    })
}

fn shape<'a>(schema: &'a Value, resolve: &dyn Fn(&str) -> Option<&'a Value>) -> Shape {
    if let Some(reference) = schema.get("$ref") {
        let target = reference.as_str().and_then(resolve).expect("a target");
        return shape(target, resolve);
    }
    if kind(schema) == Some("string") {
        return Shape::Word {
            values: known_values(schema),
        };
    }
    let alternatives = ["allOf", "anyOf", "oneOf"].map(|keyword| &schema[keyword]);
    let alternatives = alternatives
        .into_iter()
        .filter_map(Value::as_array)
        .flatten();
    let mut alternatives = alternatives.filter(|alternative| !is_null(alternative));
    if let Some(only) = alternatives.next() {
        assert_eq!(alternatives.next(), None, "two choices: {schema}");
        return shape(only, resolve);
    }
    match kind(schema) {
        None => Shape::Any,
        Some("array") => Shape::List(Box::new(shape(&schema["items"], resolve))),
        Some("object") => {
            let required = strings(&schema["required"]);
            let members = schema["properties"].as_object().into_iter().flatten();
            let member = |(name, member): (&String, &'a Value)| {
                let member = Member {
                    shape: shape(member, resolve),
                    required: required.contains(name) && !nullable(member),
                };
                (name.clone(), member)
            };
            Shape::Object {
                members: members.map(member).collect(),
                others: match &schema["additionalProperties"] {
                    Value::Null => None,
                    Value::Bool(true) => Some(Box::new(Shape::Any)),
                    others => Some(Box::new(shape(others, resolve))),
                },
            }
        }
        Some(kind) => Shape::Plain {
            kind: kind.to_owned(),
            format: schema["format"].as_str().unwrap_or_default().to_owned(),
        },
    }
}

/// The one type besides null.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter(|kind| *kind != "null");
            let only = kinds.next().and_then(Value::as_str);
            assert_eq!(kinds.next(), None, "two types: {schema}");
            only
        }
        _ => None,
    }
}

/// The values of `anyOf: [{type: string, enum: […]}, {type: string}]`.
fn known_values(schema: &Value) -> BTreeSet<String> {
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    alternatives
        .flat_map(|alternative| strings(&alternative["enum"]))
        .collect()
}

fn nullable(schema: &Value) -> bool {
    let choice = |keyword: &str| {
        schema[keyword]
            .as_array()
            .is_some_and(|c| c.iter().any(is_null))
    };
    schema["nullable"] == true || choice("oneOf") || choice("anyOf")
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == serde_json::json!([null])
}

fn strings(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}
