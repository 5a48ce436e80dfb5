//! The latest requests, up to a limit: a mock server that serves for days must not grow with each
//! request.

use std::collections::VecDeque;
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::api_key::APP_CODE;

/// Roughly how many bytes a request takes in addition to its text.
const OVERHEAD: usize = 512;

/// A request that the mock server received, without its secrets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operationId of the operation, if there is one for this method and path.
    pub operation_id: Option<&'static str>,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path as it was sent: percent-encoded.
    pub path: String,
    /// The query as it was sent, without its question mark.
    pub query: Option<String>,
    /// The headers, with their names in lower case. The value of a header that carries a secret is
    /// `***` or `Bearer ***`.
    pub headers: Vec<(String, String)>,
    /// The body: a string if it is not JSON, and null if it is absent, too late or larger than
    /// 2 MiB.
    pub body: Value,
    /// The status code of the response; `None` as long as there is no response.
    pub status: Option<u16>,
    /// When it was received, on the mock server's [`Clock`](crate::Clock).
    pub at: Duration,
}

impl RecordedRequest {
    /// Returns the value of the first header of this name, in upper or lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct RequestLog {
    latest: VecDeque<Entry>,
    max_requests: usize,
    max_bytes: usize,
    bytes: usize,
    count: u64,
}

/// A request in the form that costs least to keep: most are never read. Path, query, headers and
/// body are copied, because the buffer that they came in may be much larger.
#[derive(Debug)]
struct Entry {
    operation_id: Option<&'static str>,
    method: Method,
    path: Box<str>,
    query: Option<Box<str>>,
    /// Redacted.
    headers: Vec<(HeaderName, String)>,
    /// Not parsed, because a JSON value takes many times the memory.
    body: Box<[u8]>,
    status: Option<StatusCode>,
    at: Duration,
    bytes: usize,
}

impl RequestLog {
    pub(crate) fn new(max_requests: usize, max_bytes: usize) -> Self {
        Self {
            latest: VecDeque::new(),
            max_requests,
            max_bytes,
            bytes: 0,
            count: 0,
        }
    }

    /// Adds a request, and drops the oldest ones that exceed a limit, if need be also this one.
    /// Returns its number, from 1.
    pub(crate) fn push(
        &mut self,
        parts: &Parts,
        operation_id: Option<&'static str>,
        body: &[u8],
        at: Duration,
    ) -> u64 {
        let header =
            |(name, value): (&HeaderName, &HeaderValue)| (name.clone(), redacted(name, value));
        let (path, query) = (parts.uri.path(), parts.uri.query());
        let headers: Vec<_> = parts.headers.iter().map(header).collect();
        let bytes_of = |(name, value): &(HeaderName, String)| name.as_str().len() + value.len();
        let header_bytes: usize = headers.iter().map(bytes_of).sum();
        let bytes = OVERHEAD + path.len() + query.map_or(0, str::len) + header_bytes + body.len();
        self.count += 1;
        self.bytes += bytes;
        self.latest.push_back(Entry {
            operation_id,
            method: parts.method.clone(),
            path: path.into(),
            query: query.map(Into::into),
            headers,
            body: body.into(),
            status: None,
            at,
            bytes,
        });
        while (self.latest.len() > self.max_requests || self.bytes > self.max_bytes)
            && let Some(dropped) = self.latest.pop_front()
        {
            self.bytes -= dropped.bytes;
        }
        self.count
    }

    /// Sets the status code of the response to a request, unless it has been dropped.
    pub(crate) fn set_status(&mut self, number: u64, status: StatusCode) {
        let from_latest = usize::try_from(self.count - number).ok();
        let index = from_latest.and_then(|from| self.latest.len().checked_sub(from + 1));
        if let Some(entry) = index.and_then(|index| self.latest.get_mut(index)) {
            entry.status = Some(status);
        }
    }

    /// Returns how many requests there were, including dropped ones.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn latest(&self) -> Vec<RecordedRequest> {
        self.latest.iter().map(Entry::with_body).collect()
    }

    /// Returns at most `max` of the latest requests with their numbers, the latest first.
    pub(crate) fn numbered(&self, max: usize) -> Vec<(u64, RecordedRequest)> {
        let latest = self.latest.iter().rev().take(max).map(Entry::with_body);
        (0..=self.count).rev().zip(latest).collect()
    }
}

impl Entry {
    fn with_body(&self) -> RecordedRequest {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.clone()));
        RecordedRequest {
            operation_id: self.operation_id,
            method: self.method.to_string(),
            path: self.path.to_string(),
            query: self.query.as_deref().map(str::to_owned),
            headers: headers.collect(),
            body: decoded(&self.body),
            status: self.status.map(|status| status.as_u16()),
            at: self.at,
        }
    }
}

fn decoded(body: &[u8]) -> Value {
    match body {
        [] => Value::Null,
        _ => serde_json::from_slice(body)
            .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into()),
    }
}

/// Returns a header's value, with `***` in place of a secret.
fn redacted(name: &HeaderName, value: &HeaderValue) -> String {
    let is_secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) || name == APP_CODE;
    let text = String::from_utf8_lossy(value.as_bytes());
    if !is_secret {
        return text.into_owned();
    }
    match text.split_once(' ') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => format!("{scheme} ***"),
        _ => "***".to_owned(),
    }
}
