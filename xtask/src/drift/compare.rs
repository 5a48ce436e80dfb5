//! Compares a body with a strict schema, and describes each difference without a value of the body.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment as Segment;
use jsonschema::{JsonType, JsonTypeSet, ValidationError};
use serde_json::Value;

use super::privacy::{is_enum_word, is_field_name};
use super::schema::{Expected, provenance};

/// One way in which a response differs from the document.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Drift {
    /// Where, as a JSONPath for every element of an array: `$.tests[*].tags`. `*` is a field whose
    /// name may be private.
    path: String,
    difference: String,
    /// The `x-provenance` of the part of the document that the response contradicts.
    provenance: String,
}

/// Ways in which a response differs, and how often each occurs.
pub(super) type Drifts = BTreeMap<Drift, usize>;

impl Drift {
    pub(super) fn new(path: &str, difference: &str, provenance: &str) -> Self {
        Self {
            path: path.to_owned(),
            difference: difference.to_owned(),
            provenance: provenance.to_owned(),
        }
    }

    /// Returns whether the response contradicts a documented part. Otherwise, it is a note.
    pub(super) fn is_failure(&self) -> bool {
        !["mentioned", "observed", "assumed"].contains(&self.provenance.as_str())
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_failure() { "drift" } else { "note " };
        let (path, difference) = (&self.path, &self.difference);
        write!(
            formatter,
            "{kind}  {path}: {difference} ({})",
            self.provenance
        )
    }
}

/// Returns each way in which a body differs from its schema.
pub(super) fn compare(expected: &Expected, body: &Value) -> Drifts {
    let mut drifts = Drifts::new();
    for error in expected.validator.iter_errors(body) {
        add(&mut drifts, expected, &error);
    }
    drifts
}

fn add(drifts: &mut Drifts, expected: &Expected, error: &ValidationError<'_>) {
    let (schema, around) = part(expected, error);
    let path = json_path(error);
    let value: &Value = error.instance();
    let mut insert = |path: &str, difference: &str, provenance: &str| {
        *drifts
            .entry(Drift::new(path, difference, provenance))
            .or_default() += 1;
    };
    match error.kind() {
        Kind::AnyOf { context } => {
            let other_type = |errors: &Vec<ValidationError<'_>>| {
                let mut errors = errors.iter();
                errors
                    .find(|inner| inner.instance_path() == error.instance_path())
                    .and_then(types)
            };
            let of_type = context.iter().filter(|errors| other_type(errors).is_none());
            if let Some(nearest) = of_type.min_by_key(|errors| errors.len()) {
                nearest
                    .iter()
                    .for_each(|inner| add(drifts, expected, inner));
            } else {
                let types: Vec<String> = context.iter().filter_map(other_type).collect();
                insert(&path, &mismatch(value, &types.join(" or ")), around);
            }
        }
        Kind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let path = format!("{path}.{}", shown_name(name));
                insert(&path, "a field that the document does not have", around);
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let own = provenance(&schema["properties"][name]);
            insert(
                &format!("{path}.{name}"),
                "is missing",
                own.unwrap_or(around),
            );
        }
        Kind::Enum { options } => match value.as_str() {
            Some(text) if is_shown(text, options) => {
                insert(&path, &format!("a new value, {text}"), around);
            }
            Some(_) => insert(&path, "a value that is not among the known ones", around),
            // Its type is wrong, which is another error.
            None => {}
        },
        kind => {
            let violated = || format!("violates the document's `{}`", kind.keyword());
            let mismatched = types(error).map(|types| mismatch(value, &types));
            insert(&path, &mismatched.unwrap_or_else(violated), around);
        }
    }
}

/// Returns the schema that a value violates, and its provenance: that of the nearest schema around
/// it which has one.
fn part<'e>(expected: &'e Expected, error: &ValidationError<'_>) -> (&'e Value, &'e str) {
    let mut schema = &expected.schema;
    let mut nearest = provenance(schema).unwrap_or(&expected.provenance);
    let path = error.evaluation_path();
    // The last segment is the keyword.
    let parents = path.segments().count().saturating_sub(1);
    for segment in path.segments().take(parents) {
        schema = match segment {
            Segment::Index(index) => &schema[index],
            Segment::Property(name) => {
                let next = &schema[name.as_ref()];
                let pointer = next.as_str().and_then(|target| target.strip_prefix('#'));
                let target = pointer.and_then(|pointer| expected.schema.pointer(pointer));
                target.unwrap_or(next)
            }
        };
        nearest = provenance(schema).unwrap_or(nearest);
    }
    (schema, nearest)
}

fn json_path(error: &ValidationError<'_>) -> String {
    let mut path = "$".to_owned();
    for segment in error.instance_path().segments() {
        match segment {
            Segment::Index(_) => path += "[*]",
            Segment::Property(name) => path = format!("{path}.{}", shown_name(&name)),
        }
    }
    path
}

fn shown_name(name: &str) -> &str {
    if is_field_name(name) { name } else { "*" }
}

/// Returns whether a new value may be shown. A known value with another case is not private.
fn is_shown(text: &str, known: &Value) -> bool {
    let mut known = known.as_array().into_iter().flatten();
    is_enum_word(text)
        || known.any(|word| word.as_str().is_some_and(|w| w.eq_ignore_ascii_case(text)))
}

fn mismatch(value: &Value, types: &str) -> String {
    let found = match value {
        Value::Number(number) if number.is_f64() => JsonType::Number,
        Value::Number(_) => JsonType::Integer,
        value => JsonType::from(value),
    };
    format!("{found} where the document has {types}")
}

/// Returns the types that the document allows, if the error is one of type.
fn types(error: &ValidationError<'_>) -> Option<String> {
    let types = match error.kind() {
        Kind::Type { kind } => match kind {
            TypeKind::Single(kind) => JsonTypeSet::from(*kind),
            TypeKind::Multiple(kinds) => *kinds,
        },
        _ => return None,
    };
    let names: Vec<&str> = types.iter().map(JsonType::as_str).collect();
    Some(names.join(" or "))
}
