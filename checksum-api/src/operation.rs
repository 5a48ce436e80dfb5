//! The operations of the document. The build script generates their table.

use std::fmt;

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// One operation of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The operation's id.
    pub id: OperationId,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path below the base URL, with `{…}` for its parameters.
    pub path: &'static str,
    /// The document's summary.
    pub summary: &'static str,
    /// Whether the document marks it deprecated.
    pub deprecated: bool,
    /// The fields of the request body whose values are redacted in errors and logs: `x-secret` in
    /// the document.
    pub redacted_fields: &'static [&'static str],
    /// Whether the operation is known only from the vendor's own clients, so that the service may
    /// not have it: `x-provenance: observed` in the document.
    pub is_observed: bool,
    pub(crate) body: RequestBody,
    /// Whether a redirect is one of its documented responses.
    pub(crate) redirects: bool,
    pub(crate) is_safe: bool,
}

/// The meaning of a known state for a program that waits for a success, such as a CI job:
/// `x-outcomes` in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The work has not ended.
    Pending,
    /// The tests passed.
    Passed,
    /// The tests passed after healing.
    Healed,
    /// Tests failed, or a session did.
    Failed,
    /// The service's infrastructure failed.
    ProcessError,
    /// The work was cancelled.
    Cancelled,
    /// The session, or every session of a batch, was successful.
    Completed,
}

impl fmt::Display for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Whether an operation takes a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestBody {
    None,
    Optional,
    Required,
}

impl Operation {
    /// Returns the operation with this operationId; `None` if the document has none.
    pub fn find(id: &str) -> Option<&'static Self> {
        OPERATIONS
            .iter()
            .find(|operation| operation.id.as_str() == id)
    }

    /// Returns whether the request only reads, so that it is safe to send it again.
    pub fn is_read(&self) -> bool {
        self.is_safe
    }

    /// Returns whether `path`, relative to the base URL, matches the template of this operation: it
    /// has the same number of segments, none of them is empty, and each equals that of the template
    /// unless the template has a parameter there.
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
    /// Returns the entry of the operation in [`OPERATIONS`].
    pub fn operation(self) -> &'static Operation {
        // The table has the order of the variants.
        &OPERATIONS[self as usize]
    }
}
