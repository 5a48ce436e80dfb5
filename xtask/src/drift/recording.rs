//! Responses without what is private in them, to be compared again later.
//!
//! A recording holds the operation, the status code, the media type and, of a success in JSON, the
//! shape of the body: names of fields, types, and words of enumerations. Texts are `"string"`,
//! numbers 1, -1 or 0.5, booleans false. Names that may be private are `(key 1)`, `(key 2)`, ….
//! Of an array it holds three elements that look different, and each that differs from the document
//! in a way of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::compare::{compare, is_shown, resolved};
use super::deviation::{Drift, DriftKind};
use super::document::{Document, Provenance};
use super::privacy::is_field_name;

const FORMAT: &str = "checksum-contract-recording";
const VERSION: u64 = 1;

/// Media types that are recorded by name. Another one may be private.
const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/problem+json",
    "text/html",
    "text/plain",
];

/// Stands for a text.
const TEXT: &str = "string";

/// Stands for a value that is not among the known ones and may be private. It does not look like a
/// word of an enumeration, so that it is not shown when the recording is compared.
const HIDDEN: &str = "(not shown)";

/// How many elements of an array are kept for their shape alone.
const MAX_SHAPES: usize = 3;

/// Responses in the order in which they came.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Recording {
    format: String,
    version: u64,
    pub(super) exchanges: Vec<Exchange>,
}

/// What is kept of one response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exchange {
    pub(super) operation: String,
    pub(super) status: u16,
    /// Without parameters; `other` for an unusual one.
    #[serde(default)]
    pub(super) content_type: Option<String>,
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Body {
    /// The shape of a success in JSON.
    Json(Value),
    /// A success that is not JSON.
    NotJson,
    /// The body of an error is not kept.
    Withheld,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            exchanges: Vec::new(),
        }
    }
}

impl Recording {
    /// Reads a file that `cargo xtask verify --save` wrote.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)?;
        let value: Value = serde_json::from_str(&text).context("this is not a recording")?;
        ensure!(
            value["format"] == FORMAT,
            "this is not a recording: its format is not `{FORMAT}`"
        );
        ensure!(
            value["version"] == VERSION,
            "this recording has version {}, and this program reads version {VERSION}",
            value["version"].as_u64().unwrap_or_default()
        );
        serde_json::from_value(value).context("this is not a recording")
    }
}

impl Exchange {
    /// Returns what is kept of a response, and how it differs from the document.
    pub(super) fn of(
        document: &Document,
        operation: &str,
        status: u16,
        content_type: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(Self, Vec<Drift>)> {
        let mut exchange = Self {
            operation: operation.to_owned(),
            status,
            content_type: content_type.map(media_type),
            body: Body::Withheld,
        };
        if !(200..300).contains(&status) {
            return Ok((exchange, Vec::new()));
        }
        let drift = |provenance, kind| Drift::of_response(operation, provenance, kind);
        let Some(response) = document.response(operation, status) else {
            let drift = drift(Provenance::Documented, DriftKind::UnknownOperation);
            return Ok((exchange, vec![drift]));
        };
        let mut drifts = Vec::new();
        if !response.lists_status {
            drifts.push(drift(Provenance::Assumed, DriftKind::UnknownStatusCode));
        }
        let is_text = exchange.content_type.as_deref() == Some("text/plain");
        exchange.body = match body {
            Some(body) => {
                let deviations = compare(&response, body)?;
                let root = &response.schema;
                let places = deviations.places();
                let body = Redaction { root, places }.value(root, body, "");
                drifts.extend(deviations.into_drifts(operation));
                Body::Json(body)
            }
            None => {
                if !(is_text && response.allows_text) {
                    drifts.push(drift(response.provenance, DriftKind::NotJson));
                }
                Body::NotJson
            }
        };
        Ok((exchange, drifts))
    }

    /// Compares the exchange with what the document has become. Counts are those of the recording.
    pub(super) fn replay(&self, document: &Document) -> Result<Vec<Drift>> {
        let body = match &self.body {
            Body::Json(body) => Some(body),
            Body::NotJson => None,
            Body::Withheld => return Ok(Vec::new()),
        };
        let media = self.content_type.as_deref();
        let (_, mut drifts) = Self::of(document, &self.operation, self.status, media, body)?;
        // Where the document has got an enumeration or a pattern since, the value was not kept.
        drifts.retain(|drift| match &drift.kind {
            DriftKind::UnknownEnumValue { value } => value.as_deref() != Some(TEXT),
            kind => *kind != DriftKind::PatternMismatch,
        });
        Ok(drifts)
    }
}

struct Redaction<'a> {
    root: &'a Value,
    /// JSON pointers to parts that differ from the document in a way of their own.
    places: BTreeSet<&'a str>,
}

impl Redaction<'_> {
    fn value(&self, node: &Value, value: &Value, pointer: &str) -> Value {
        let node = self.nearest(node, value);
        match value {
            Value::Null => Value::Null,
            Value::Bool(_) => false.into(),
            Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() != 0.0) => {
                0.5.into()
            }
            Value::Number(number) => json!(if number.as_f64() < Some(0.0) { -1 } else { 1 }),
            Value::String(text) if text.is_empty() => "".into(),
            Value::String(text) => match node.get("enum") {
                Some(known) if is_shown(text, known) => text.as_str().into(),
                Some(_) => HIDDEN.into(),
                None => TEXT.into(),
            },
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| (format!("{pointer}/{index}"), item));
                self.distinct(&node["items"], items).into()
            }
            Value::Object(object) => {
                let properties = node["properties"].as_object();
                let mut kept = Map::new();
                let mut nameless = Vec::new();
                for (name, value) in object {
                    let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    let known = properties.and_then(|properties| properties.get(name));
                    // Names in an object that lists none are somebody's data.
                    if known.is_some() || (properties.is_some() && is_field_name(name)) {
                        let value = self.value(known.unwrap_or(&Value::Null), value, &place);
                        kept.insert(name.clone(), value);
                    } else {
                        nameless.push((place, value));
                    }
                }
                let values = self.distinct(&node["additionalProperties"], nameless);
                let values = (1..).zip(values);
                // No name of a field looks like this, so that it is not shown.
                kept.extend(values.map(|(number, value)| (format!("(key {number})"), value)));
                kept.into()
            }
        }
    }

    fn distinct<'v>(
        &self,
        node: &Value,
        values: impl IntoIterator<Item = (String, &'v Value)>,
    ) -> Vec<Value> {
        let mut kept = Vec::new();
        for (pointer, value) in values {
            let inside = format!("{pointer}/");
            let next = self.places.range(inside.as_str()..).next();
            let differs = self.places.contains(pointer.as_str())
                || next.is_some_and(|place| place.starts_with(&inside));
            if differs || kept.len() < MAX_SHAPES {
                let value = self.value(node, value, &pointer);
                if differs || !kept.contains(&value) {
                    kept.push(value);
                }
            }
        }
        kept
    }

    /// Returns the schema that a value is to be read by: of several, the one of its type.
    fn nearest<'s>(&'s self, node: &'s Value, value: &Value) -> &'s Value {
        let node = resolved(self.root, node);
        let Some(choices) = node["anyOf"].as_array() else {
            return node;
        };
        let kind = match value {
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::String(_) => "string",
            _ => "",
        };
        let mut choices = choices.iter().map(|choice| self.nearest(choice, value));
        choices
            .find(|choice| choice["type"] == kind)
            .unwrap_or(&Value::Null)
    }
}

/// Returns a media type by name: a header may contain anything.
fn media_type(header: &str) -> String {
    let name = header.split(';').next().unwrap_or_default().trim();
    let known = MEDIA_TYPES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name));
    known.map_or("other", |known| known).to_owned()
}
