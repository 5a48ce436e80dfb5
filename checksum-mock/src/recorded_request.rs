use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;

use crate::Route;
use crate::api_key::APP_CODE;

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
    /// The query, as it was sent, without its question mark.
    pub query: Option<String>,
    /// The headers, by their names in lower case. Where one carries a secret, `***` stands in its
    /// place: `Bearer ***`.
    pub headers: Vec<(String, String)>,
    /// The body: JSON where it is JSON, text where it is not, null where there was none or more
    /// than the stand-in reads.
    pub body: Value,
    /// When it came, on the stand-in's clock.
    pub at: Duration,
}

impl RecordedRequest {
    /// A request without its body.
    pub(crate) fn new(
        route: Option<&Route>,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
        at: Duration,
    ) -> Self {
        Self {
            operation_id: route.map(|route| route.operation_id),
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), shown(name, value)))
                .collect(),
            body: Value::Null,
            at,
        }
    }

    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        let text = || Value::String(String::from_utf8_lossy(body).into_owned());
        self.body = match body {
            [] => Value::Null,
            _ => serde_json::from_slice(body).unwrap_or_else(|_| text()),
        };
        self
    }

    /// The length of the text in its head, in bytes.
    pub(crate) fn text_length(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.path.len() + self.query.as_ref().map_or(0, String::len) + headers
    }

    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }
}

/// A header's value without the secret in it.
fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let is_secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) || name == APP_CODE;
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.split_once(' ') {
        _ if !is_secret => text.into_owned(),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => format!("{scheme} ***"),
        _ => "***".to_owned(),
    }
}
