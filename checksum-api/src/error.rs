use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::decode::lenient::{DecodeError, decode_leniently};
use crate::exchange::Seen;
use crate::generated::Error as GeneratedError;
use crate::http_clients::ClientError;
use crate::redirect::{self, Unfollowed};
use crate::secrets::Redactor;
use crate::{ByteStream, Operation, tls};

/// How many characters of a response an error repeats.
const MAX_EXCERPT: usize = 300;

/// How many bytes of a response are looked at for them.
const MAX_READ: usize = 64 * 1024;

/// Headers in which services and the proxies before them name a request.
const REQUEST_ID_HEADERS: [&str; 5] = [
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "cf-ray",
];

/// One call that failed: which one, what came back, and whether trying again can help.
///
/// Match on [`kind`](Self::kind); the text is for people. Of the response it holds a bounded excerpt,
/// without the key and without what [secret members](Operation::redacted_fields) of the request had.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    operation: Option<&'static Operation>,
    path: String,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    message: String,
    may_have_taken_effect: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request was refused here, before anything was sent.
    InvalidRequest,
    /// No connection was made, so the service knows nothing of the request.
    Connect,
    /// TLS: the server's certificate was not accepted, the handshake failed, or TLS could not be set
    /// up on this machine. Nothing was sent, and trying again does not help.
    Tls,
    /// No complete answer came in time.
    Timeout,
    /// The connection broke before the answer was complete.
    ConnectionLost,
    /// The answer was larger than the limit.
    TooLarge,
    /// The service pointed to another address, which was not followed.
    Redirect,
    /// 401: the key is missing, wrong or expired.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: no such run, batch or collection.
    NotFound,
    /// 429: too many requests.
    RateLimited,
    /// Any other 4xx: the service did not accept the request.
    Rejected,
    /// 5xx: the service, or a proxy before it, failed.
    Server,
    /// A success whose body is not JSON, or JSON that was cut off.
    InvalidJson,
    /// A success whose body lacks something the client cannot do without.
    UnexpectedBody,
}

impl Error {
    pub(crate) fn new(failure: Failure, seen: Seen) -> Self {
        let secrets = &seen.secrets;
        let kind = failure.kind;
        let may_have_taken_effect = match kind {
            ErrorKind::InvalidRequest
            | ErrorKind::Connect
            | ErrorKind::Tls
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::RateLimited => false,
            // 408 does not say how far the service had read.
            ErrorKind::Rejected => seen.status == Some(StatusCode::REQUEST_TIMEOUT),
            ErrorKind::Redirect => !seen.status.is_some_and(redirect::keeps_the_request),
            ErrorKind::Timeout
            | ErrorKind::ConnectionLost
            | ErrorKind::TooLarge
            | ErrorKind::Server
            | ErrorKind::InvalidJson
            | ErrorKind::UnexpectedBody => true,
        };
        let message = match &seen.elsewhere {
            Some(elsewhere) => format!(
                "{}; the transport had followed a redirect to {}; check the base URL",
                failure.message,
                bounded(elsewhere, secrets)
            ),
            None => failure.message,
        };
        Self(Box::new(Details {
            kind,
            operation: seen.operation,
            path: secrets.redact(&seen.path).into_owned(),
            status: seen.status,
            retry_after: retry_after(&seen.headers, SystemTime::now()),
            request_id: request_id(&seen.headers, secrets),
            message: secrets.redact(&message).into_owned(),
            may_have_taken_effect: may_have_taken_effect || seen.may_have_taken_effect,
            source: failure.source,
        }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that was called; `None` only where no request could be made of it.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The HTTP status, where an answer came.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// How long the service asks to wait, from its `Retry-After` header.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The request's id, where the service or a proxy gave one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What the service said, or what happened in its place; at most a few hundred characters.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same request may succeed a little later.
    ///
    /// It says nothing of whether repeating is safe: see [`may_have_taken_effect`](Self::may_have_taken_effect).
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::ConnectionLost
            | ErrorKind::RateLimited
            | ErrorKind::Server
            | ErrorKind::InvalidJson => true,
            // 408 Request Timeout and 425 Too Early.
            ErrorKind::Rejected => self
                .status()
                .is_some_and(|s| matches!(s.as_u16(), 408 | 425)),
            _ => false,
        }
    }

    /// The text without its advice on whether to try again, for a request that must not be repeated.
    pub fn without_advice(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|formatter| self.describe(formatter))
    }

    /// Whether the service may have acted on the request, so that repeating one that starts work
    /// could start it twice. Where it was redirected, what counts is any request of the chain.
    pub fn may_have_taken_effect(&self) -> bool {
        self.0.may_have_taken_effect
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(formatter)?;
        match self.0.retry_after {
            Some(after) => write!(formatter, "; try again in {} s", after.as_secs()),
            None if self.is_transient() => formatter.write_str("; trying again can help"),
            None if self.is_not_documented() => formatter.write_str(
                "; this operation is known from the vendor's own client and is not documented, \
                 so that the service may not have it",
            ),
            None => Ok(()),
        }
    }
}

impl Error {
    /// Whether the service may not know the operation itself, rather than what was asked for.
    fn is_not_documented(&self) -> bool {
        let is_observed = self
            .0
            .operation
            .is_some_and(|operation| operation.is_observed);
        is_observed && self.0.kind == ErrorKind::NotFound
    }

    fn describe(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        if let Some(operation) = details.operation {
            write!(
                formatter,
                "{} ({} {}): ",
                operation.id, operation.method, details.path
            )?;
        }
        if let Some(status) = details.status
            && !status.is_success()
        {
            write!(formatter, "{status}: ")?;
        }
        formatter.write_str(&details.message)?;
        if let Some(id) = &details.request_id {
            write!(formatter, " [request {id}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// What one of progenitor's errors comes to.
pub(crate) struct Failure {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn timeout(after: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("no answer within {after:?}"))
    }

    /// Says where it happened, for a request that is none of the document's operations. The query
    /// is left out: it often is what grants access.
    pub(crate) fn at(mut self, url: &url::Url, seen: &Seen) -> Self {
        let address = format!("{}{}", url.origin().ascii_serialization(), url.path());
        self.message = format!("GET {}: {}", bounded(&address, &seen.secrets), self.message);
        self
    }

    /// Classifies an error. A body that only the strict decoder refused is no failure: its value
    /// comes back as `Ok`.
    pub(crate) async fn of<T: DeserializeOwned>(
        error: GeneratedError<ByteStream>,
        seen: &Seen,
    ) -> Result<T, Self> {
        let secrets = &seen.secrets;
        Err(match error {
            GeneratedError::InvalidRequest(message) if seen.no_client => {
                Self::new(ErrorKind::Tls, message)
            }
            GeneratedError::InvalidRequest(message) | GeneratedError::Custom(message) => {
                Self::new(ErrorKind::InvalidRequest, plainly(message))
            }
            GeneratedError::CommunicationError(error)
            | GeneratedError::InvalidUpgrade(error)
            | GeneratedError::ResponseBodyError(error) => Self::network(error, seen),
            GeneratedError::InvalidResponsePayload(body, _) => match decode_leniently(&body) {
                Ok(value) => return Ok(value),
                Err(DecodeError::InvalidJson(error)) => {
                    let message =
                        format!("expected JSON, got {} ({error})", excerpt(&body, secrets));
                    Self::new(ErrorKind::InvalidJson, message)
                }
                Err(DecodeError::Shape { path, reason }) => {
                    // Serde repeats the value that it did not expect, however long.
                    let reason = bounded(&reason.to_string(), secrets);
                    let mut message = format!("unexpected answer at `{path}`: {reason}");
                    // What has started may be named there.
                    if seen.operation.is_some_and(|operation| !operation.is_read()) {
                        message = format!("{message}, in {}", excerpt(&body, secrets));
                    }
                    Self::new(ErrorKind::UnexpectedBody, message)
                }
            },
            GeneratedError::ErrorResponse(response) => {
                let status = response.status();
                let stream = response.into_inner_stream();
                let chunks: Vec<bytes::Bytes> = stream.try_collect().await.unwrap_or_default();
                Self::answer(status, &chunks.concat(), seen)
            }
            GeneratedError::UnexpectedResponse(response) => {
                let status = response.status();
                let body = response.bytes().await.unwrap_or_default();
                Self::answer(status, &body, seen)
            }
        })
    }

    pub(crate) fn network(error: reqwest::Error, seen: &Seen) -> Self {
        let place = error.url().map(|url| url.origin().ascii_serialization());
        // The URL may carry a search string, and the operation is named anyway.
        let error = error.without_url();
        // Beyond the handshake, the request is on its way.
        if error.is_connect()
            && let Some(cause) = tls::cause(&error)
        {
            let advice = tls::advice(cause);
            let cause = bounded(&cause.to_string(), &seen.secrets);
            let place = place.unwrap_or_else(|| "the server".to_owned());
            return Self {
                kind: ErrorKind::Tls,
                message: format!("no TLS connection to {place}: {cause}; {advice}"),
                source: Some(Box::new(error)),
            };
        }
        let kind = if seen.too_large {
            ErrorKind::TooLarge
        } else if error.is_connect() {
            ErrorKind::Connect
        } else if error.is_timeout() {
            ErrorKind::Timeout
        } else if error.is_builder() || !seen.sent {
            ErrorKind::InvalidRequest
        } else {
            ErrorKind::ConnectionLost
        };
        let what = match kind {
            ErrorKind::TooLarge => "the answer is too large",
            ErrorKind::Connect => "no connection",
            ErrorKind::Timeout => "no answer in time",
            ErrorKind::InvalidRequest => "the request cannot be made",
            _ => "the connection broke before the answer was complete",
        };
        let message = match kind {
            ErrorKind::Timeout => what.to_owned(),
            _ => format!("{what}: {}", root_cause(&error, &seen.secrets)),
        };
        Self {
            kind,
            message,
            source: Some(Box::new(error)),
        }
    }

    /// There is nothing to send a request with.
    pub(crate) fn no_client(url: &url::Url, error: &ClientError) -> Self {
        Self::new(ErrorKind::Tls, no_client(url, error))
    }

    pub(crate) fn answer(status: StatusCode, body: &[u8], seen: &Seen) -> Self {
        let kind = match status.as_u16() {
            300..=399 => ErrorKind::Redirect,
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Rejected,
            _ => ErrorKind::Server,
        };
        let message = if kind == ErrorKind::Redirect {
            match &seen.unfollowed {
                Some(Unfollowed { from, to }) => {
                    let from = bounded(from, &seen.secrets);
                    let to = match to {
                        Some((to, reason)) => format!(
                            "to {}, which was not followed, since {reason}",
                            bounded(to, &seen.secrets)
                        ),
                        None => "without an address that can be read".to_owned(),
                    };
                    format!("{from} redirected the request {to}; check the base URL")
                }
                None => "redirected, which was not followed; check the base URL".to_owned(),
            }
        } else {
            spoken(body, &seen.secrets).unwrap_or_else(|| excerpt(body, &seen.secrets))
        };
        Self::new(kind, message)
    }
}

/// Why there is nothing to send a request with.
pub(crate) fn no_client(url: &url::Url, error: &ClientError) -> String {
    let place = url.origin().ascii_serialization();
    match error {
        ClientError::SetUp(error) => {
            let cause = innermost(error);
            format!("cannot set up TLS for {place}: {cause}; {}", tls::NO_ROOTS)
        }
        error => format!("cannot set up TLS for {place}: {error}"),
    }
}

/// Progenitor's word for a parameter that cannot be made, without the paths of generated types:
/// "conversion to `crate :: … :: JobName` for job_name failed".
fn plainly(message: String) -> String {
    let parts = message
        .strip_prefix("conversion to `")
        .and_then(|rest| rest.strip_suffix(" failed"))
        .and_then(|rest| rest.split_once("` for "));
    match parts {
        Some((kind, name)) => {
            let kind = kind.rsplit("::").next().unwrap_or(kind).trim();
            format!("the value of `{name}` is not a {kind}")
        }
        None => message,
    }
}

/// Where services put the message of a JSON error body, the most telling first. The API's
/// description does not say what its error bodies look like.
const MESSAGES: [&str; 7] = [
    "/message",
    "/error/message",
    "/errors",
    "/error",
    "/detail",
    "/title",
    "",
];

/// The members of an object among several reasons that say what it is about.
const REASON_MEMBERS: [&str; 5] = ["message", "msg", "detail", "reason", "title"];

/// How many reasons are looked at, and how deep within one another.
const MAX_REASONS: usize = 20;
const MAX_REASON_DEPTH: usize = 4;

/// The message of a JSON error body: a text, or the reasons that a list or an object has.
fn spoken(body: &[u8], secrets: &Redactor) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let said = MESSAGES.iter().find_map(|pointer| {
        // The body itself is a message where it is a text, or a list of them.
        let value = value
            .pointer(pointer)
            .filter(|value| !pointer.is_empty() || !value.is_object())?;
        let reasons = reasons(value);
        (!reasons.is_empty()).then_some(reasons)
    })?;
    let mut said = said.join("; ");
    // What goes with a message that sums them up.
    let further = value.get("errors").map(reasons).unwrap_or_default();
    let mut further: Vec<String> = further
        .into_iter()
        .filter(|reason| !said.contains(reason.as_str()))
        .collect();
    if !further.is_empty() {
        further.insert(0, said);
        said = further.join("; ");
    }
    Some(bounded(&said, secrets))
}

fn reasons(value: &Value) -> Vec<String> {
    let mut reasons = Vec::new();
    gather(value, MAX_REASON_DEPTH, &mut reasons);
    reasons
}

/// Gathers the reasons in a value, in their order: texts, and of objects their message or, where they
/// have none, the values by name, as `{"prNumber": ["must be positive"]}`.
fn gather(value: &Value, depth: usize, reasons: &mut Vec<String>) {
    if depth == 0 || reasons.len() >= MAX_REASONS {
        return;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => reasons.push(text.clone()),
        Value::Array(list) => list
            .iter()
            .for_each(|value| gather(value, depth - 1, reasons)),
        Value::Object(members) => {
            let before = reasons.len();
            for name in REASON_MEMBERS {
                if reasons.len() == before
                    && let Some(value) = members.get(name)
                {
                    gather(value, depth - 1, reasons);
                }
            }
            if reasons.len() > before {
                return;
            }
            for (name, value) in members {
                let mut of_member = Vec::new();
                gather(value, depth - 1, &mut of_member);
                if !of_member.is_empty() && reasons.len() < MAX_REASONS {
                    reasons.push(format!("{name}: {}", of_member.join(", ")));
                }
            }
        }
        _ => {}
    }
}

/// The beginning of a body, on one line. It may end in the middle of a secret: where it is cut here
/// or was when it was read, or where the connection broke.
fn excerpt(body: &[u8], secrets: &Redactor) -> String {
    let is_cut = body.len() >= MAX_READ;
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_READ)]);
    let text = match is_cut {
        // A character that is cut has become a replacement character.
        true => text.trim_end_matches(char::REPLACEMENT_CHARACTER),
        false => &text,
    };
    if text.trim().is_empty() {
        return "an empty body".to_owned();
    }
    format!("`{}`", shortened(&secrets.redact_end(text, is_cut)))
}

/// A text on one line of a readable length. What must not be repeated goes first: of a secret that
/// is cut off, a part would remain.
fn bounded(text: &str, secrets: &Redactor) -> String {
    shortened(&secrets.redact_end(text, false))
}

fn shortened(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * MAX_EXCERPT {
            break;
        }
    }
    match line.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn root_cause(error: &reqwest::Error, secrets: &Redactor) -> String {
    bounded(&innermost(error).to_string(), secrets)
}

fn innermost(error: &reqwest::Error) -> &dyn StdError {
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

/// `Retry-After`, in either of its forms. A date in the past means now.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = header(headers, RETRY_AFTER.as_str())?;
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn request_id(headers: &HeaderMap, secrets: &Redactor) -> Option<String> {
    REQUEST_ID_HEADERS
        .iter()
        .find_map(|name| header(headers, name))
        .map(|id| bounded(&id, secrets))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn no_beginning_of_the_key_is_shown_where_a_body_is_cut() {
        for key in ["sk-test-5f2b9c-key", r#"sk"te\st-5f2b9c"#] {
            let secrets = Redactor::key(&SecretString::from(key));
            let escaped = Value::from(key).to_string();
            let escaped = escaped.trim_matches('"');
            for spelled in [key, escaped] {
                for shown in 1..=spelled.len() {
                    let mut body = vec![b' '; MAX_READ - shown];
                    body.extend_from_slice(&spelled.as_bytes()[..shown]);
                    let text = excerpt(&body, &secrets);
                    assert_eq!(text, "`***`", "{shown}");
                    // A body that is longer than what is looked at.
                    body.extend_from_slice(&spelled.as_bytes()[shown..]);
                    let text = excerpt(&body, &secrets);
                    assert_eq!(text, "`***`", "{shown}");
                }
                // The service itself, or the connection, ended there.
                for shown in 5..spelled.len() {
                    let body = format!("you sent {}", &spelled[..shown]);
                    assert_eq!(excerpt(body.as_bytes(), &secrets), "`you sent ***`");
                }
            }
        }
    }
}
