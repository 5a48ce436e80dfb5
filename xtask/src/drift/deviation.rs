//! One way in which a response differs from the document, and how to say so.

use std::fmt;

use serde::Serialize;

use super::document::Provenance;

/// One way in which the responses to an operation differ from the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Drift {
    /// The operationId.
    pub(super) operation: String,
    /// Where, as a JSONPath that stands for every element of an array: `$.tests[*].tags`. `*` is a
    /// field whose name may be private.
    pub(super) path: String,
    /// How well the document knows the part that the response contradicts.
    pub(super) provenance: Provenance,
    /// How many parts of the response differ in this way.
    pub(super) count: usize,
    /// What differs.
    #[serde(flatten)]
    pub(super) kind: DriftKind,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum DriftKind {
    /// A field that the document does not have.
    UnknownField,
    /// A field that the document requires is absent.
    MissingField,
    /// A value of another type, in the words of JSON Schema and a few more.
    TypeMismatch {
        expected: String,
        found: &'static str,
    },
    /// A value that is not among the known values. `None` if it may be private.
    UnknownEnumValue { value: Option<String> },
    /// A text that does not match the document's pattern.
    PatternMismatch,
    /// A success whose status code the document does not list.
    UnknownStatusCode,
    /// A success whose body is not JSON.
    NotJson,
    /// A success that the generated client cannot decode.
    Undecodable,
    /// A recorded operation that the document does not have.
    UnknownOperation,
}

impl Drift {
    /// Returns a drift of the whole response.
    pub(super) fn of_response(operation: &str, provenance: Provenance, kind: DriftKind) -> Self {
        Self {
            operation: operation.to_owned(),
            path: "$".to_owned(),
            provenance,
            count: 1,
            kind,
        }
    }

    /// Returns whether the response contradicts a documented part. Otherwise, it is a note.
    pub(super) fn is_failure(&self) -> bool {
        self.provenance == Provenance::Documented
    }

    /// Returns the word that it is listed with.
    pub(super) fn sort(&self) -> &'static str {
        if self.is_failure() { "drift" } else { "note " }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, .. } = self;
        write!(formatter, "{path}: {kind} ({}", self.provenance)?;
        match self.count {
            1 => formatter.write_str(")"),
            count => write!(formatter, ", {count} times)"),
        }
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownField => "a field that the document does not have",
            Self::MissingField => "is missing",
            Self::TypeMismatch { expected, found } => {
                return write!(formatter, "{found} where the document has {expected}");
            }
            Self::UnknownEnumValue { value: Some(value) } => {
                return write!(formatter, "a new value, {value}");
            }
            Self::UnknownEnumValue { value: None } => "a value that is not among the known ones",
            Self::PatternMismatch => "a text that does not match the document's pattern",
            Self::UnknownStatusCode => "the document does not list this status code",
            Self::NotJson => "the response is not JSON",
            Self::Undecodable => "the client cannot decode the response",
            Self::UnknownOperation => "the document does not have this operation",
        })
    }
}
