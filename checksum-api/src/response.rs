//! A response as it came, before it is decoded.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// The headers in which services and the proxies before them name a request, in the order in which
/// they are read.
const REQUEST_ID_HEADERS: [&str; 5] = [
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "cf-ray",
];

/// How many bytes of the body of an error response are read: enough for any message to a person.
pub(crate) const MAX_ERROR_BYTES: usize = 64 * 1024;

/// One response of the service as it came: not decoded and not redacted.
///
/// `Debug` prints the status code and the size of the body, since the service may have repeated a
/// secret in the rest. Use [`Client::redact`](crate::Client::redact) before you print a body.
#[derive(Clone)]
#[non_exhaustive]
pub struct RawResponse {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: complete for a success, at most the first 64 KiB of any other response.
    pub body: Bytes,
}

/// A function that is called with each response before the response is decoded.
pub(crate) type Inspector = Arc<dyn Fn(&RawResponse) + Send + Sync>;

impl RawResponse {
    /// Returns the request's id, which the operators of the service need to find the request;
    /// `None` if the response has none.
    ///
    /// It is read from the first of these headers that the response has: `x-request-id`,
    /// `request-id`, `x-correlation-id`, `x-amzn-requestid`, `cf-ray`.
    pub fn request_id(&self) -> Option<&str> {
        REQUEST_ID_HEADERS.iter().find_map(|name| self.header(name))
    }

    /// Returns whether the body is a page of HTML. Then the response is not from the API: the base URL
    /// is that of another server, or a proxy has responded.
    pub fn is_html(&self) -> bool {
        is_page(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns whether a body is a page of HTML. The content type does not decide it, since servers also
/// give it to errors in plain text or JSON.
pub(crate) fn is_page(body: &[u8]) -> bool {
    let begins_with = |tag: &str| {
        let begin = body.trim_ascii_start().get(..tag.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(tag.as_bytes()))
    };
    begins_with("<!doctype html") || begins_with("<html")
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
