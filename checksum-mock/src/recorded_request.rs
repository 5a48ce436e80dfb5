use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

use crate::Route;

/// A request that the stand-in received, with its key redacted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operation that it was for, where there is one.
    pub operation_id: Option<&'static str>,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path, as it was sent: percent-encoded.
    pub path: String,
    /// The query, as it was sent.
    pub query: Option<String>,
    /// The headers, by their names in lower case; the key reads `***`.
    pub headers: Vec<(String, String)>,
    /// The body: JSON where it is JSON, text where it is not, null where there was none.
    pub body: Value,
    /// When it came, on the stand-in's clock.
    pub at: Duration,
}

impl RecordedRequest {
    pub(crate) fn new(
        route: Option<&Route>,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
        body: &[u8],
        at: Duration,
    ) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let value = match text.split_once(' ') {
                Some((scheme, _)) if name == AUTHORIZATION => format!("{scheme} ***"),
                None if name == AUTHORIZATION => "***".to_owned(),
                _ => text.into_owned(),
            };
            (name.to_string(), value)
        };
        let text = || Value::String(String::from_utf8_lossy(body).into_owned());
        Self {
            operation_id: route.map(|route| route.operation_id),
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            headers: headers.iter().map(header).collect(),
            body: match body {
                [] => Value::Null,
                _ => serde_json::from_slice(body).unwrap_or_else(|_| text()),
            },
            at,
        }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }
}
