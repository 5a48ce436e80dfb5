use crate::generated::OPERATIONS;

/// One operation of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The operationId, which is also the name of the client's method.
    pub id: &'static str,
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
    /// The members of the request body whose values nothing prints: `format: password` in the
    /// document.
    pub secret_members: &'static [&'static str],
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
        OPERATIONS.iter().find(|operation| operation.id == id)
    }

    /// Whether sending it twice does no more than sending it once.
    pub fn is_read(&self) -> bool {
        self.method == "GET"
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
