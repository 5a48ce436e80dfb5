use std::fmt;

use serde::Serialize;

/// One difference between two documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Change {
    pub(crate) class: Class,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    /// What it is about, for people: `run_tests`, `RunTestsRequest.testIds`.
    pub(crate) subject: String,
    /// What happened to it.
    pub(crate) message: String,
    /// A JSON pointer into the document that has it: the newer, or the older for what is gone.
    pub(crate) pointer: String,
}

/// What a change means for code that was written against the older document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// A request that was right may be refused, an answer may lack what it had, or a name of the
    /// generated client is gone.
    Breaking,
    /// Older code goes on working.
    Compatible,
    /// Only texts for people differ.
    DocumentationOnly,
}

/// Whether a change is about what is sent, what is received, or neither alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Side {
    Request,
    Response,
    Operation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Added,
    Removed,
    Changed,
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Breaking => "breaking",
            Self::Compatible => "compatible",
            Self::DocumentationOnly => "documentation only",
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Operation => "operation",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        })
    }
}
