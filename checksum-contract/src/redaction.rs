//! What of an answer is kept in a recording: enough to compare it again, and no value.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use crate::drift::compare_part;
use crate::schema::{Schema, Shape};
use crate::word::{is_enum_word, is_member_name};
use crate::{Document, Operation, Provenance};

/// Stands for a text.
pub(crate) const TEXT: &str = "string";

/// Stands for a value that an open enumeration does not list, and that may be private. No word of
/// an enumeration looks like it, so that it is not shown when the recording is compared.
const HIDDEN: &str = "(not shown)";

/// How many distinct elements are kept of a list for their shape alone.
const MAX_SHAPES: usize = 3;

/// How many are kept altogether, those that bring another drift included.
const MAX_KEPT: usize = 32;

/// Nothing deeper is kept; serde_json reads nothing deeper.
const MAX_DEPTH: usize = 128;

static ANY: Schema = Schema {
    shape: Shape::Any,
    nullable: true,
    provenance: None,
};

pub(crate) fn redact(document: &Document, operation: &Operation, body: &Value) -> Value {
    let provenance = operation.provenance();
    Redaction { document }.value(&operation.answer, body, provenance, 0)
}

struct Redaction<'a> {
    document: &'a Document,
}

impl Redaction<'_> {
    fn value(&self, schema: &Schema, value: &Value, enclosing: Provenance, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        let resolved = self.document.resolve(schema, enclosing);
        let provenance = resolved.provenance;
        match (resolved.shape, value) {
            (Shape::OneOf(choices), _) => {
                let choice = choices.iter().min_by_key(|choice| {
                    let next = depth + 1;
                    compare_part(self.document, choice, value, provenance, next).distance()
                });
                self.value(choice.unwrap_or(&ANY), value, provenance, depth + 1)
            }
            (_, Value::Null) => Value::Null,
            // One bit less to tell; the type is all that is compared.
            (_, Value::Bool(_)) => Value::Bool(false),
            (_, Value::Number(number)) => nothing_like(number),
            (
                Shape::Text {
                    known: Some(known), ..
                },
                Value::String(text),
            ) => {
                let is_shown = known.iter().any(|word| word.eq_ignore_ascii_case(text))
                    || text.is_empty()
                    || is_enum_word(text);
                if is_shown { text.as_str() } else { HIDDEN }.into()
            }
            (_, Value::String(text)) if text.is_empty() => "".into(),
            (_, Value::String(_)) => TEXT.into(),
            (shape, Value::Array(items)) => {
                let item = match shape {
                    Shape::List(item) => item,
                    _ => &ANY,
                };
                self.distinct(item, items, provenance, depth + 1).into()
            }
            (shape, Value::Object(object)) => self.object(shape, object, provenance, depth),
        }
    }

    fn object(
        &self,
        shape: &Shape,
        object: &Map<String, Value>,
        provenance: Provenance,
        depth: usize,
    ) -> Value {
        let mut kept = Map::new();
        let mut nameless = Vec::new();
        let mut of_nameless = &ANY;
        match shape {
            Shape::Object(members) => {
                for (name, value) in object {
                    let known = members.properties.get(name);
                    if known.is_some() || is_member_name(name) {
                        let schema = known.unwrap_or(&ANY);
                        let value = self.value(schema, value, provenance, depth + 1);
                        kept.insert(name.clone(), value);
                    } else {
                        nameless.push(value);
                    }
                }
            }
            // The names are somebody's data.
            Shape::Map(of_values) => {
                of_nameless = of_values;
                nameless.extend(object.values());
            }
            _ => nameless.extend(object.values()),
        }
        let values = self.distinct(of_nameless, nameless, provenance, depth + 1);
        for (number, value) in (1..).zip(values) {
            // No name of a member looks like this, so that it stays unshown.
            kept.insert(format!("(key {number})"), value);
        }
        kept.into()
    }

    /// A few elements: those of the first shapes, and each that has a drift which none before it
    /// has, so that what is found in the answer is found in the recording.
    fn distinct<'v>(
        &self,
        schema: &Schema,
        values: impl IntoIterator<Item = &'v Value>,
        provenance: Provenance,
        depth: usize,
    ) -> Vec<Value> {
        let mut kept: Vec<Value> = Vec::new();
        let mut known = BTreeSet::new();
        for value in values {
            if kept.len() == MAX_KEPT {
                break;
            }
            let drifts = compare_part(self.document, schema, value, provenance, depth);
            let before = known.len();
            known.extend(drifts.into_keys());
            let has_news = known.len() > before;
            if has_news || kept.len() < MAX_SHAPES {
                let redacted = self.value(schema, value, provenance, depth);
                if has_news || !kept.contains(&redacted) {
                    kept.push(redacted);
                }
            }
        }
        kept
    }
}

/// A number of the same type, which tells nothing.
fn nothing_like(number: &Number) -> Value {
    if number.is_u64() {
        0.into()
    } else if number.is_i64() {
        (-1).into()
    } else {
        0.5.into()
    }
}
