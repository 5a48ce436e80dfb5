//! The latest requests, up to a limit: a mock server that serves for days must not grow with each
//! request.

use std::collections::VecDeque;
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
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

#[derive(Debug)]
struct Entry {
    /// With a null body.
    request: RecordedRequest,
    /// Parsed when it is read, because a JSON value takes many times the memory, and copied,
    /// because the buffer that it came in may be much larger.
    body: Box<[u8]>,
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
            |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), redacted(name, value));
        let request = RecordedRequest {
            operation_id,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.iter().map(header).collect(),
            body: Value::Null,
            status: None,
            at,
        };
        let headers = request.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        let query = request.query.as_ref().map_or(0, String::len);
        let bytes = OVERHEAD + request.path.len() + query + headers + body.len();
        self.count += 1;
        self.bytes += bytes;
        self.latest.push_back(Entry {
            request,
            body: body.into(),
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
            entry.request.status = Some(status.as_u16());
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
        RecordedRequest {
            body: decoded(&self.body),
            ..self.request.clone()
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
    match text.split_once(' ') {
        _ if !is_secret => text.into_owned(),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => format!("{scheme} ***"),
        _ => "***".to_owned(),
    }
}
