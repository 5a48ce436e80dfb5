//! JSON Schema in two dialects, OpenAPI 3.0's and that of schemars, reduced to what a
//! value may be, so that they can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a value may be. Descriptions, and how a schema is composed, are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Anything at all.
    Any,
    /// A string, with the known values of an open enumeration.
    String { enum_values: BTreeSet<String> },
    /// A number, boolean or integer: its type and format.
    Scalar { kind: String, format: String },
    /// An array.
    Array(Box<Shape>),
    /// An object.
    Object {
        fields: BTreeMap<String, Field>,
        /// The schema of fields that are not listed.
        unlisted: Option<Box<Shape>>,
    },
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// Whether the field has to be present and not null. Both are `Option` to the client.
    pub(crate) required: bool,
}

/// Returns the shape of a schema of the document.
pub(crate) fn of_document(document: &Value, schema: &Value) -> Shape {
    shape(schema, &|reference| {
        document.pointer(reference.strip_prefix('#')?)
    })
}

/// Returns the shape of a schema that schemars made.
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
        return Shape::String {
            enum_values: enum_values(schema),
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
        Some("array") => Shape::Array(Box::new(shape(&schema["items"], resolve))),
        Some("object") => {
            let required = strings(&schema["required"]);
            let fields = schema["properties"].as_object().into_iter().flatten();
            let field = |(name, field): (&String, &'a Value)| {
                let field = Field {
                    shape: shape(field, resolve),
                    required: required.contains(name) && !nullable(field),
                };
                (name.clone(), field)
            };
            Shape::Object {
                fields: fields.map(field).collect(),
                unlisted: match &schema["additionalProperties"] {
                    Value::Null => None,
                    Value::Bool(true) => Some(Box::new(Shape::Any)),
                    schema => Some(Box::new(shape(schema, resolve))),
                },
            }
        }
        Some(kind) => Shape::Scalar {
            kind: kind.to_owned(),
            format: schema["format"].as_str().unwrap_or_default().to_owned(),
        },
    }
}

/// Returns the one type besides null.
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

/// Returns the values of `anyOf: [{type: string, enum: […]}, {type: string}]`.
fn enum_values(schema: &Value) -> BTreeSet<String> {
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
