//! The error of a call: what failed, what came back, and what to do about it.

pub(crate) mod failure;
mod kind;
mod service_message;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::RETRY_AFTER;

use self::failure::Failure;
pub use self::kind::ErrorKind;
use self::text::truncate_line;
use crate::call_state::CallState;
use crate::network::redirect;
use crate::operation::Operation;
use crate::redaction::Redactor;
use crate::response::{MAX_ERROR_BYTES, RawResponse};

/// The error of a call: which call failed, what came back, and whether a retry can help.
///
/// Match on [`kind`](Self::kind); the text is for people. It contains a bounded excerpt of the response,
/// without the API key and the values of [secret fields](Operation::redacted_fields) of the request.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    operation: Option<&'static Operation>,
    path: String,
    response: Option<RawResponse>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    message: String,
    may_have_taken_effect: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error whose texts do not contain `secrets`.
    pub(crate) fn new(failure: Failure, call: CallState, secrets: &Redactor) -> Self {
        let kind = failure.kind;
        let mut response = call.response;
        let status = response.as_ref().map(|response| response.status);
        let may_have_taken_effect = match kind {
            ErrorKind::InvalidRequest
            | ErrorKind::NoApiKey
            | ErrorKind::Connect
            | ErrorKind::Tls
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::RateLimited => false,
            // 408 does not say how far the service had read.
            ErrorKind::Rejected => status == Some(StatusCode::REQUEST_TIMEOUT),
            ErrorKind::Redirect => !status.is_some_and(redirect::keeps_the_request),
            ErrorKind::Timeout
            | ErrorKind::ConnectionLost
            | ErrorKind::TooLarge
            | ErrorKind::Server
            | ErrorKind::InvalidJson
            | ErrorKind::UnexpectedBody => true,
        };
        let message = match &call.elsewhere {
            Some(elsewhere) => format!(
                "{}; the transport had followed a redirect to {}; check the base URL",
                failure.message,
                truncate_line(elsewhere, secrets)
            ),
            None => failure.message,
        };
        if let Some(response) = &mut response
            && response.body.len() > MAX_ERROR_BYTES
        {
            // Copied, because the buffer may be much larger, and an error may be kept for long.
            response.body = response.body[..MAX_ERROR_BYTES].to_vec().into();
        }
        let of_response = response.as_ref();
        Self(Box::new(Details {
            kind,
            operation: call.operation,
            path: secrets.redact(&call.path).into_owned(),
            retry_after: of_response.and_then(|it| retry_after(it, SystemTime::now())),
            request_id: of_response
                .and_then(RawResponse::request_id)
                .map(|id| truncate_line(id, secrets)),
            message: secrets.redact(&message).into_owned(),
            may_have_taken_effect: may_have_taken_effect || call.may_have_taken_effect,
            source: failure.source,
            response,
        }))
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that was called; `None` for the download of a file.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// Returns the status code of the response; `None` if there was none.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.response.as_ref().map(|response| response.status)
    }

    /// Returns the response as it came, with the first 64 KiB of its body; `None` if there was
    /// none. The body is empty if it arrived only in part.
    ///
    /// Nothing in it is redacted.
    pub fn response(&self) -> Option<&RawResponse> {
        self.0.response.as_ref()
    }

    /// Returns how long the service wants the client to wait, from the `Retry-After` header.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the request's id, if the service or a proxy gave one; see [`RawResponse::request_id`].
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the service's message or, if there is none, a description of the failure. It has a
    /// few hundred characters at most.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns whether a retry can help. See [`may_have_taken_effect`](Self::may_have_taken_effect) for
    /// whether it is safe, if the request starts work.
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::NoApiKey
            | ErrorKind::Connect
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

    /// Returns the text without its advice on retries, for a request that must not be repeated.
    pub fn without_advice(&self) -> impl fmt::Display + '_ {
        WithoutAdvice(self)
    }

    /// Returns whether the service may have acted on the request, so that repeating one that starts
    /// work could start it twice. For a redirected request, this covers every request of the chain.
    pub fn may_have_taken_effect(&self) -> bool {
        self.0.may_have_taken_effect
    }
}

struct WithoutAdvice<'a>(&'a Error);

impl fmt::Display for WithoutAdvice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe(formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(formatter)?;
        match self.0.retry_after {
            Some(after) => write!(formatter, "; retry after {} s", after.as_secs()),
            // A retry can help if it is the page of a proxy, but that is the less likely reason.
            None if self.0.kind == ErrorKind::InvalidJson && self.has_page() => Ok(()),
            None if self.is_transient() => formatter.write_str("; retryable"),
            None if self.is_not_documented() => formatter.write_str(
                "; this operation is known from the vendor's own client and is not documented, \
                 so that the service may not have it",
            ),
            None => Ok(()),
        }
    }
}

impl Error {
    fn has_page(&self) -> bool {
        self.response().is_some_and(RawResponse::is_html)
    }

    /// Returns whether a 404 may mean that the service does not have the operation itself.
    fn is_not_documented(&self) -> bool {
        let is_observed = self
            .0
            .operation
            .is_some_and(|operation| operation.is_observed);
        is_observed && self.0.kind == ErrorKind::NotFound && !self.has_page()
    }

    fn describe(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        if let Some(operation) = details.operation {
            let path = match details.path.as_str() {
                "" => operation.path,
                path => path,
            };
            write!(
                formatter,
                "{} ({} {path}): ",
                operation.id, operation.method
            )?;
        }
        if let Some(status) = self.status()
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

/// Reads `Retry-After` in either of its forms. A date in the past means now.
fn retry_after(response: &RawResponse, now: SystemTime) -> Option<Duration> {
    let text = response.header(RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
