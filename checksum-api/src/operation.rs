use std::fmt;

use crate::generated::{OPERATIONS, OperationId};

/// One operation of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The operation.
    pub id: OperationId,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path below the base URL, with `{…}` for its parameters.
    pub path: &'static str,
    /// The document's summary.
    pub summary: &'static str,
    /// Whether the document marks it deprecated.
    pub deprecated: bool,
    /// Whether it takes a request body.
    pub body: RequestBody,
    /// The fields of the request body whose values nothing prints: `x-secret` in the document.
    pub redacted_fields: &'static [&'static str],
    /// Whether it is known from the vendor's own clients alone, so that the service may not have it:
    /// `x-provenance: observed` in the document.
    pub is_observed: bool,
    /// Whether a redirect is one of its documented responses.
    pub(crate) redirects: bool,
    pub(crate) is_safe: bool,
}

/// What a known value of a state means for a gate: `x-outcomes` in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// It has not ended.
    Pending,
    /// The tests passed.
    Passed,
    /// The tests passed after healing.
    Healed,
    /// Tests failed, or a session did.
    Failed,
    /// The service's infrastructure failed.
    ProcessError,
    /// It was cancelled.
    Cancelled,
    /// The session, or every session of a batch, has ended well.
    Completed,
}

impl fmt::Display for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Whether an operation takes a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// It takes none.
    None,
    /// It takes one, and works without.
    Optional,
    /// It needs one.
    Required,
}

impl Operation {
    /// The operation of that operationId.
    pub fn find(id: &str) -> Option<&'static Self> {
        OPERATIONS
            .iter()
            .find(|operation| operation.id.as_str() == id)
    }

    /// Whether sending it twice does no more than sending it once.
    pub fn is_read(&self) -> bool {
        self.is_safe
    }

    /// Whether a request's path, below the base URL, is one of this operation: the same number of
    /// segments, none of them empty, and equal to the template's wherever that has no parameter.
    pub fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let matched = self.path.split('/').all(|expected| {
            given.next().is_some_and(|segment| {
                if expected.starts_with('{') {
                    !segment.is_empty()
                } else {
                    segment == expected
                }
            })
        });
        matched && given.next().is_none()
    }
}

impl OperationId {
    /// Returns what the document says of the operation.
    pub fn operation(self) -> &'static Operation {
        // The table has the order of the variants.
        &OPERATIONS[self as usize]
    }
}
