//! Reads the document.

use std::fmt;

use serde_json::Value;

/// The names under which a path holds its operations.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An error in the document, with its place.
#[derive(Debug)]
pub(crate) struct GenerationError {
    /// A JSON pointer into the document, or a line and column of its text.
    place: String,
    message: String,
}

impl GenerationError {
    pub(super) fn new(place: impl Into<String>, message: impl fmt::Display) -> Self {
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

/// One operation, with its path and method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) value: &'a Value,
}

impl Operation<'_> {
    pub(super) fn place(&self) -> String {
        format!("#/paths/{}/{}", escaped(self.path), self.method)
    }
}

/// Reads the document, and checks that the target of each reference exists.
pub(super) fn parse(yaml: &str) -> Result<Value, GenerationError> {
    let document = serde_saphyr::from_str(yaml).map_err(|error| {
        let place = error.location().map_or_else(
            || "document".to_owned(),
            |location| format!("line {}, column {}", location.line(), location.column()),
        );
        GenerationError::new(place, error.without_snippet())
    })?;
    check_references(&document, &document, "#")?;
    Ok(document)
}

/// Fails if the target of a reference does not exist: progenitor would panic.
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

/// Returns every operation, in the order of the document.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    fields(&document["paths"]).flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| {
            let value = item.get(method)?;
            Some(Operation {
                method,
                path,
                value,
            })
        })
    })
}

/// Returns every component schema, in the order of the document.
pub(super) fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    fields(&document["components"]["schemas"])
}

/// Returns the value itself, or the component that it refers to.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        None => value,
        Some(target) => document
            .pointer(target.trim_start_matches('#'))
            .unwrap_or(value),
    }
}

/// Returns the component that a schema refers to, alone or with a description of its own.
pub(super) fn component(schema: &Value) -> Option<&str> {
    let reference = match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => schema,
    };
    reference["$ref"].as_str()?.rsplit('/').next()
}

/// Returns the fields of an object; no fields for any other value.
pub(crate) fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns a field that is a string, or an empty string.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Escapes a key for a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns the name of a Rust type or variant for a text of the document.
pub(super) fn pascal_case(text: &str) -> String {
    text.split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect()
}
