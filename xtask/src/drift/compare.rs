//! Compares a body with a strict schema. The validator finds what differs; here it is said without
//! a value of the response.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::deviation::{Drift, DriftKind};
use super::document::{Provenance, Response};
use super::privacy::{is_enum_word, is_field_name};

/// How many drifts, and as many notes, are kept of one response.
const MAX_DRIFTS: usize = 500;

/// What differs in one body, each way once.
#[derive(Default)]
pub(super) struct Deviations {
    found: BTreeMap<(String, DriftKind), Found>,
    drifts: usize,
}

struct Found {
    provenance: Provenance,
    count: usize,
    /// The JSON pointer of the first part that differs in this way.
    first: String,
}

/// Compares a body with what the document says about it.
pub(super) fn compare(response: &Response, body: &Value) -> Result<Deviations> {
    let validator = jsonschema::draft202012::options()
        .build(&response.schema)
        .map_err(|error| anyhow::anyhow!("{}", error.masked()))
        .context("the document has a schema that is not valid")?;
    let mut deviations = Deviations::default();
    for error in validator.iter_errors(body) {
        deviations.add(response, &error);
    }
    Ok(deviations)
}

impl Deviations {
    /// Returns the first part of the body for each way in which it differs, as JSON pointers.
    pub(super) fn places(&self) -> BTreeSet<&str> {
        self.found
            .values()
            .map(|found| found.first.as_str())
            .collect()
    }

    pub(super) fn into_drifts(self, operation: &str) -> Vec<Drift> {
        let found = self.found.into_iter();
        let drift = |((path, kind), found): (_, Found)| Drift {
            operation: operation.to_owned(),
            path,
            provenance: found.provenance,
            count: found.count,
            kind,
        };
        found.map(drift).collect()
    }

    fn add(&mut self, response: &Response, error: &ValidationError<'_>) {
        let place = Place::of(response, error);
        let instance = error.instance();
        let mismatch = || DriftKind::TypeMismatch {
            expected: type_name(&response.schema, place.node),
            found: type_of(instance),
        };
        let kind = match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match nearest(context, error) {
                    Some(choice) => {
                        choice.iter().for_each(|error| self.add(response, error));
                        return;
                    }
                    None => mismatch(),
                }
            }
            Kind::AdditionalProperties { unexpected } => {
                for name in unexpected {
                    let name = if is_field_name(name) { name } else { "*" };
                    let path = format!("{}.{name}", place.path);
                    self.insert(path, DriftKind::UnknownField, place.provenance, error);
                }
                return;
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or("*");
                let own = Provenance::of(&place.node["properties"][name]);
                let path = format!("{}.{name}", place.path);
                let provenance = own.unwrap_or(place.provenance);
                self.insert(path, DriftKind::MissingField, provenance, error);
                return;
            }
            Kind::Enum { options } => match instance.as_str() {
                Some(text) => DriftKind::UnknownEnumValue {
                    value: is_shown(text, options).then(|| text.to_owned()),
                },
                // Its type is wrong, which is another error.
                None => return,
            },
            // Empty, which is another error.
            Kind::Pattern { .. }
                if instance.as_str() == Some("") && place.node["minLength"] == 1 =>
            {
                return;
            }
            Kind::Pattern { .. } => DriftKind::PatternMismatch,
            _ => mismatch(),
        };
        self.insert(place.path, kind, place.provenance, error);
    }

    fn insert(
        &mut self,
        path: String,
        kind: DriftKind,
        provenance: Provenance,
        error: &ValidationError<'_>,
    ) {
        let is_drift = provenance == Provenance::Documented;
        let alike = if is_drift {
            self.drifts
        } else {
            self.found.len() - self.drifts
        };
        let key = (path, kind);
        if let Some(found) = self.found.get_mut(&key) {
            found.count += 1;
        } else if alike < MAX_DRIFTS {
            self.drifts += usize::from(is_drift);
            let found = Found {
                provenance,
                count: 1,
                first: error.instance_path().as_str().to_owned(),
            };
            self.found.insert(key, found);
        }
    }
}

/// Returns the choice that the value is nearest to, if it is of the type of one.
fn nearest<'e>(
    choices: &'e [Vec<ValidationError<'static>>],
    whole: &ValidationError<'_>,
) -> Option<&'e Vec<ValidationError<'static>>> {
    let is_whole = |error: &ValidationError<'_>| error.instance_path() == whole.instance_path();
    let is_other_type =
        |error: &ValidationError<'_>| is_whole(error) && matches!(error.kind(), Kind::Type { .. });
    let alike = choices.iter();
    let alike = alike.filter(|errors| !errors.iter().any(is_other_type));
    alike.min_by_key(|errors| errors.len())
}

/// Where in the schema an error stands.
struct Place<'s> {
    /// The schema that the value violates.
    node: &'s Value,
    provenance: Provenance,
    /// The path in the body. It has no name that is not one of the document.
    path: String,
}

impl<'s> Place<'s> {
    /// Follows the evaluation path through the schema. Its last segment is the keyword.
    fn of(response: &'s Response, error: &ValidationError<'_>) -> Self {
        let root = &response.schema;
        let mut place = Self {
            node: root,
            provenance: Provenance::of(root).unwrap_or(response.provenance),
            path: "$".to_owned(),
        };
        let path = error.evaluation_path();
        let mut segments: Vec<LocationSegment<'_>> = path.segments().collect();
        segments.pop();
        let mut is_name = false;
        for segment in segments {
            let next = match &segment {
                LocationSegment::Index(index) => place.node.get(*index),
                LocationSegment::Property(name) => place.node.get(name.as_ref()),
            };
            let LocationSegment::Property(keyword) = segment else {
                place.enter(next);
                continue;
            };
            if is_name {
                place.path += ".";
                place.path += &keyword;
                is_name = false;
                place.enter(next);
                continue;
            }
            match keyword.as_ref() {
                "properties" => {
                    is_name = true;
                    place.node = next.unwrap_or(&Value::Null);
                }
                "items" => {
                    place.path += "[*]";
                    place.enter(next);
                }
                "additionalProperties" => {
                    place.path += ".*";
                    place.enter(next);
                }
                "$ref" => {
                    let pointer = next.and_then(|next| next.as_str()?.strip_prefix('#'));
                    place.enter(pointer.and_then(|pointer| root.pointer(pointer)));
                }
                _ => place.enter(next),
            }
        }
        place
    }

    fn enter(&mut self, next: Option<&'s Value>) {
        self.node = next.unwrap_or(&Value::Null);
        self.provenance = Provenance::of(self.node).unwrap_or(self.provenance);
    }
}

/// Returns whether a value that is not among the known ones may be shown. A known word in other
/// letters is no secret.
pub(super) fn is_shown(text: &str, known: &Value) -> bool {
    let mut known = known.as_array().into_iter().flatten();
    is_enum_word(text)
        || known.any(|word| word.as_str().is_some_and(|w| w.eq_ignore_ascii_case(text)))
}

/// Follows `$ref` and an `allOf` of one part to what they stand for.
pub(super) fn resolved<'s>(root: &'s Value, mut node: &'s Value) -> &'s Value {
    // A reference that leads back to itself ends here.
    for _ in 0..32 {
        if let Some(pointer) = node["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
            node = root.pointer(pointer).unwrap_or(&Value::Null);
        } else if node.get("type").is_none()
            && let Some([part]) = node["allOf"].as_array().map(Vec::as_slice)
        {
            node = part;
        } else {
            return node;
        }
    }
    &Value::Null
}

/// Returns the type that a schema asks for.
fn type_name(root: &Value, node: &Value) -> String {
    let node = resolved(root, node);
    if let Some(choices) = node["anyOf"].as_array() {
        let names: Vec<String> = choices
            .iter()
            .map(|choice| type_name(root, choice))
            .collect();
        return names.join(" or ");
    }
    let name = |kind: &Value| match kind.as_str() {
        Some("integer") if node["minimum"].as_f64() >= Some(0.0) => "unsigned integer".to_owned(),
        Some("string") if node["minLength"].as_u64() >= Some(1) => "non-empty string".to_owned(),
        Some(kind) => kind.to_owned(),
        None => "any JSON".to_owned(),
    };
    match &node["type"] {
        Value::Array(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" or "),
        kind => name(kind),
    }
}

/// Returns the type of a value, in the words of JSON Schema and two more.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(number) if number.is_i64() => "negative integer",
        Value::Number(_) => "number",
        Value::String(text) if text.is_empty() => "empty string",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
