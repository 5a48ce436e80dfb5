use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::document::Resolved;
use crate::schema::{Members, Schema, Shape};
use crate::word::{is_enum_word, is_member_name};
use crate::{Document, Operation, Provenance};

/// No answer is looked at more deeply: serde_json reads none that is deeper.
const MAX_DEPTH: usize = 128;

/// How many drifts of each sort, failures and notes, are told apart in one answer.
const MAX_DRIFTS: usize = 500;

/// One way in which an answer is not as the document says.
///
/// As JSON it is a flat object: `operation`, `path`, `provenance`, `count`, and `kind` with what
/// belongs to the [`DriftKind`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(description = "One way in which an answer is not as the document says.")]
#[non_exhaustive]
pub struct Drift {
    /// The operationId.
    pub operation: String,
    /// Where, as a JSONPath (RFC 9535) that stands for every element of a list: `$.tests[*].tags`.
    /// `$` is the whole answer; `*` a member whose name is not shown.
    pub path: String,
    /// How well the document knows the part that the answer deviates from.
    pub provenance: Provenance,
    /// How often the answer has it.
    pub count: usize,
    /// What is different.
    #[serde(flatten)]
    pub kind: DriftKind,
}

/// What is different. `kind` in JSON, in words with hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DriftKind {
    /// A member that the document does not have.
    UnknownMember,
    /// A member that the document requires is not there.
    MissingMember,
    /// A value of another type.
    OtherType {
        /// What the document has: JSON Schema's words, `unsigned integer`, `non-empty string`,
        /// joined by ` or `.
        expected: String,
        /// What the answer has: JSON Schema's words, `negative integer`, `empty string`.
        found: &'static str,
    },
    /// A value that an open enumeration does not list.
    NewValue {
        /// The value, where it looks like a word of an enumeration; null where it may be private.
        value: Option<String>,
    },
    /// A success whose body is not JSON.
    NotJson,
    /// A success that the generated client cannot decode.
    Undecodable,
    /// A recorded operation that the document does not have.
    UnknownOperation,
}

impl Drift {
    /// Whether the answer deviates from what is documented. What deviates from another part of the
    /// document is for people to note.
    pub fn is_failure(&self) -> bool {
        self.provenance == Provenance::Documented
    }

    /// An answer of that operation whose body is not JSON.
    pub fn not_json(operation: &Operation) -> Self {
        Self::of_whole(operation, DriftKind::NotJson)
    }

    /// An answer of that operation that the generated client cannot decode.
    pub fn undecodable(operation: &Operation) -> Self {
        Self::of_whole(operation, DriftKind::Undecodable)
    }

    fn of_whole(operation: &Operation, kind: DriftKind) -> Self {
        Self {
            operation: operation.id().to_owned(),
            path: "$".to_owned(),
            provenance: operation.provenance(),
            count: 1,
            kind,
        }
    }

    pub(crate) fn unknown_operation(id: &str) -> Self {
        Self {
            operation: id.to_owned(),
            path: "$".to_owned(),
            provenance: Provenance::Documented,
            count: 1,
            kind: DriftKind::UnknownOperation,
        }
    }
}

/// One line without the operation, as in `$.tests[*].status: a new value, skipped (mentioned)`.
impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} ({}",
            self.path, self.kind, self.provenance
        )?;
        if self.count > 1 {
            write!(formatter, ", {} times", self.count)?;
        }
        formatter.write_str(")")
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember => formatter.write_str("a member that the document does not have"),
            Self::MissingMember => formatter.write_str("is missing"),
            Self::OtherType { expected, found } => {
                write!(formatter, "{found} where the document has {expected}")
            }
            Self::NewValue { value: Some(value) } => write!(formatter, "a new value, {value}"),
            Self::NewValue { value: None } => formatter.write_str("a value not in the list"),
            Self::NotJson => formatter.write_str("the answer is not JSON"),
            Self::Undecodable => formatter.write_str("the client cannot decode the answer"),
            Self::UnknownOperation => formatter.write_str("the document has no such operation"),
        }
    }
}

/// Compares a successful answer with what the document says of it.
///
/// The drifts come in the order of their paths, each once with a count. Of very many the first 500
/// failures and the first 500 notes are told.
pub fn compare(document: &Document, operation: &Operation, body: &Value) -> Vec<Drift> {
    let found = compare_part(document, &operation.answer, body, operation.provenance(), 0);
    found.into_drifts(operation)
}

/// Compares a part of an answer, at that depth of it.
pub(crate) fn compare_part(
    document: &Document,
    schema: &Schema,
    value: &Value,
    enclosing: Provenance,
    depth: usize,
) -> Found {
    let mut found = Found::default();
    let mut comparison = Comparison {
        document,
        found: &mut found,
        path: "$".to_owned(),
    };
    comparison.visit(schema, value, enclosing, depth);
    found
}

/// Drifts by path and kind.
#[derive(Default)]
pub(crate) struct Found {
    drifts: BTreeMap<(String, DriftKind), (Provenance, usize)>,
    failures: usize,
}

impl Found {
    fn add(&mut self, path: String, kind: DriftKind, provenance: Provenance, times: usize) {
        let is_failure = provenance == Provenance::Documented;
        let of_sort = if is_failure {
            self.failures
        } else {
            self.drifts.len() - self.failures
        };
        let key = (path, kind);
        if let Some((_, count)) = self.drifts.get_mut(&key) {
            *count += times;
        } else if of_sort < MAX_DRIFTS {
            self.failures += usize::from(is_failure);
            self.drifts.insert(key, (provenance, times));
        }
    }

    /// Adds what was found in a part, at its place in the whole.
    fn append(&mut self, part: Self, place: &str) {
        for ((path, kind), (provenance, count)) in part.drifts {
            let path = path.replacen('$', place, 1);
            self.add(path, kind, provenance, count);
        }
    }

    /// How far a value is from what it was compared with: above all, whether it is of its type.
    pub(crate) fn distance(&self) -> (bool, usize, usize) {
        (self.is_of_other_type(), self.failures, self.drifts.len())
    }

    fn is_of_other_type(&self) -> bool {
        let mut keys = self.drifts.keys();
        keys.any(|(path, kind)| path == "$" && matches!(kind, DriftKind::OtherType { .. }))
    }

    pub(crate) fn into_keys(self) -> impl Iterator<Item = (String, DriftKind)> {
        self.drifts.into_keys()
    }

    fn into_drifts(self, operation: &Operation) -> Vec<Drift> {
        let drifts = self.drifts.into_iter();
        drifts
            .map(|((path, kind), (provenance, count))| Drift {
                operation: operation.id().to_owned(),
                path,
                provenance,
                count,
                kind,
            })
            .collect()
    }
}

struct Comparison<'a> {
    document: &'a Document,
    found: &'a mut Found,
    path: String,
}

impl Comparison<'_> {
    fn visit(&mut self, schema: &Schema, value: &Value, enclosing: Provenance, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let resolved = self.document.resolve(schema, enclosing);
        let provenance = resolved.provenance;
        if value.is_null() && resolved.nullable {
            return;
        }
        match (resolved.shape, value) {
            (Shape::Any | Shape::Component(_), _) => {}
            (Shape::OneOf(choices), _) => self.choose(&resolved, choices, value, depth),
            (Shape::Text { known, .. }, Value::String(text)) if is_of_type(&resolved, value) => {
                if let Some(known) = known.as_ref().filter(|known| !known.contains(text)) {
                    self.new_value(text, known, provenance);
                }
            }
            (Shape::List(item), Value::Array(items)) => self.inside("[*]", |comparison| {
                for value in items {
                    comparison.visit(item, value, provenance, depth + 1);
                }
            }),
            (Shape::Map(of_values), Value::Object(object)) => self.inside(".*", |comparison| {
                for value in object.values() {
                    comparison.visit(of_values, value, provenance, depth + 1);
                }
            }),
            (Shape::Object(members), Value::Object(object)) => {
                self.members(members, object, provenance, depth);
            }
            _ if is_of_type(&resolved, value) => {}
            _ => self.other_type(&resolved, value),
        }
    }

    fn members(
        &mut self,
        members: &Members,
        object: &serde_json::Map<String, Value>,
        provenance: Provenance,
        depth: usize,
    ) {
        for (name, schema) in &members.properties {
            match object.get(name) {
                Some(value) => self.inside(&format!(".{name}"), |comparison| {
                    comparison.visit(schema, value, provenance, depth + 1);
                }),
                // Whether a member is there is a matter of the object, or of its own word, not of
                // what is known of its values.
                None if members.required.contains(name) => {
                    let path = format!("{}.{name}", self.path);
                    let provenance = schema.provenance.unwrap_or(provenance);
                    self.found
                        .add(path, DriftKind::MissingMember, provenance, 1);
                }
                None => {}
            }
        }
        for name in object
            .keys()
            .filter(|name| !members.properties.contains_key(*name))
        {
            let shown = if is_member_name(name) { name } else { "*" };
            let path = format!("{}.{shown}", self.path);
            self.found
                .add(path, DriftKind::UnknownMember, provenance, 1);
        }
    }

    /// Tells the deviations from the choice that the value is nearest to, where one is of its type.
    fn choose(&mut self, resolved: &Resolved<'_>, choices: &[Schema], value: &Value, depth: usize) {
        let provenance = resolved.provenance;
        let compared = choices
            .iter()
            .map(|choice| compare_part(self.document, choice, value, provenance, depth + 1));
        match compared.min_by_key(Found::distance) {
            Some(nearest) if !nearest.is_of_other_type() => {
                self.found.append(nearest, &self.path);
            }
            _ => self.other_type(resolved, value),
        }
    }

    fn new_value(&mut self, text: &str, known: &[String], provenance: Provenance) {
        // A known word in another case is no secret.
        let is_shown =
            is_enum_word(text) || known.iter().any(|word| word.eq_ignore_ascii_case(text));
        let value = is_shown.then(|| text.to_owned());
        let kind = DriftKind::NewValue { value };
        self.found.add(self.path.clone(), kind, provenance, 1);
    }

    fn other_type(&mut self, expected: &Resolved<'_>, value: &Value) {
        let kind = DriftKind::OtherType {
            expected: self.document.expected(expected),
            found: type_of(value),
        };
        self.found
            .add(self.path.clone(), kind, expected.provenance, 1);
    }

    fn inside(&mut self, segment: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(segment);
        visit(self);
        self.path.truncate(length);
    }
}

/// Whether a value is of the type that is asked for, its parts aside.
fn is_of_type(expected: &Resolved<'_>, value: &Value) -> bool {
    match (expected.shape, value) {
        (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Integer { is_unsigned }, Value::Number(number)) => {
            number.is_u64() || (number.is_i64() && !is_unsigned)
        }
        (Shape::Number, Value::Number(_)) => true,
        (Shape::Text { is_filled, .. }, Value::String(text)) => !(*is_filled && text.is_empty()),
        _ => false,
    }
}

/// A value's type, in JSON Schema's words and two more.
fn type_of(value: &Value) -> &'static str {
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
