//! The one error type of this crate: what failed, whether work was started, and what came back.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use checksum_api::{ErrorKind as RawKind, OperationId, RawResponse, Redactor};
use serde_json::Value;

use crate::json_redaction::redact_json;

/// How many characters of a response body a message repeats.
const MAX_EXCERPT: usize = 200;

const CHECK_FIRST: &str = "; check the dashboard before you start it again";

/// The error of this crate. Match on [`kind`](Self::kind), or call a predicate; the text is for
/// people.
///
/// For a call that starts work, check [`started`](Self::started) first: whatever the kind, it says
/// whether there may be work in the service. The status code, `Retry-After` and the request id are
/// available whenever a response came, whatever the kind.
///
/// `Display` includes the cause, and [`source`](StdError::source) does not repeat it. No text
/// contains the API key or the values of environment overrides.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    started: Started,
    message: String,
    /// The text after the excerpt of the response body.
    advice: &'static str,
    raw: Option<Arc<checksum_api::Error>>,
    response_body: Option<Value>,
    /// The status code and the request id of a success that lacks what the client needs.
    response: Option<(u16, Option<String>)>,
    /// The key of the work that the error is about.
    handle_key: Option<String>,
}

/// The kind of an [`Error`], for programs to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built: no API key, a base URL that would expose it, no usable TLS or
    /// proxy.
    Configuration,
    /// The service would certainly reject the request, so it was not sent.
    InvalidRequest,
    /// 401: the API key is missing, wrong or expired.
    Unauthorized,
    /// 403: the API key may not do this.
    Forbidden,
    /// 404: the service knows no such run, batch, collection or test run.
    NotFound,
    /// Any other 4xx: the service rejected the request.
    Rejected,
    /// The request that starts work was sent, and its response did not arrive or does not identify
    /// the work. The work may have started; starting it again could start it twice.
    MayHaveStarted,
    /// A wait's deadline passed. The work goes on: resume it from its handle.
    DeadlineExceeded,
    /// Polling failed for longer than
    /// [`PollPolicy::error_timeout`](crate::PollPolicy::error_timeout). The outcome is unknown, and
    /// the work may go on: resume it from its handle.
    PollingFailed,
    /// No usable response: no connection, no TLS, a time-out, a broken connection, 408, 425, 429 or
    /// 5xx. [`Error::is_transient`] says whether a retry can help.
    Unavailable,
    /// A response came that the operation does not return: it is not JSON, too large, a redirect,
    /// or lacks a field that the client needs. For a download, the response holds no file.
    UnexpectedResponse,
    /// A download is larger than its limit. No part of the file is kept.
    FileTooLarge,
    /// A download ended before it was complete, after all retries. No part of the file is kept.
    TruncatedFile,
    /// A download had less than its minimum throughput, after all retries. No part of the file is
    /// kept.
    StalledDownload,
    /// A file could not be written.
    Io,
}

/// Whether the work that a call was to start has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Started {
    /// It has not: the request was not sent, or the service rejected it.
    No,
    /// It may have: the service may have acted on the request, and its response did not arrive or
    /// cannot be read. Starting it again could start it twice.
    ///
    /// It is also returned for a poll that gets 404 if only an id of the work is known, because the
    /// id may be wrong.
    Maybe,
    /// It has: the error is about work that exists in the service.
    Yes,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Details {
            kind,
            started: Started::No,
            message: message.into(),
            advice: "",
            raw: None,
            response_body: None,
            response: None,
            handle_key: None,
        }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Creates the error of a request that was not sent, because the service would reject it.
    pub(crate) fn invalid_request(reason: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidRequest, format!("not sent: {reason}"))
    }

    /// Creates the error of a text that is not a handle's key.
    pub(crate) fn invalid_handle(reason: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidRequest, reason.to_string())
    }

    /// Creates the error of a request that starts work.
    pub(crate) fn of_start(error: checksum_api::Error) -> Self {
        if !error.may_have_taken_effect() {
            return error.into();
        }
        let message = format!(
            "the work may have started, and the request was not repeated: {}{CHECK_FIRST}",
            error.without_advice()
        );
        Self::new(ErrorKind::MayHaveStarted, message)
            .with_started(Started::Maybe)
            .with_raw(Arc::new(error))
    }

    /// Creates the error of an accepted run whose response has neither a job name nor a test run
    /// id.
    pub(crate) fn unidentified(response: Value) -> Self {
        let message = "the run may have started, and the response has neither a job name nor a \
                       test run id to poll it by";
        Self::new(ErrorKind::MayHaveStarted, message)
            .with_started(Started::Maybe)
            .with_response_body(response)
            .change(|details| details.advice = CHECK_FIRST)
    }

    /// Creates the error of a deadline. The service writes the state, which may be anything: only a
    /// short word is shown, and not a message, an echo of the API key or a control character.
    pub(crate) fn deadline_exceeded(what: &str, after: Duration, last_state: Option<&str>) -> Self {
        let after = seconds(after);
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let message = match last_state {
            Some(state) => {
                let state = match state.len() {
                    1..=20 if state.chars().all(is_word) => state,
                    _ => "an unrecognised state",
                };
                format!("{what} has not ended after {after}: last seen {state}; it goes on")
            }
            None => format!(
                "{what} was not found or seen within {after}; if it was started, it goes on"
            ),
        };
        Self::new(ErrorKind::DeadlineExceeded, message).with_started(Started::Yes)
    }

    pub(crate) fn polling_failed(what: &str, after: Duration, last_failure: &Self) -> Self {
        let message = format!(
            "polling {what} failed for {}; its outcome is unknown: {last_failure}",
            seconds(after)
        );
        let error = Self::new(ErrorKind::PollingFailed, message).with_started(Started::Yes);
        match &last_failure.0.raw {
            Some(raw) => error.with_raw(Arc::clone(raw)),
            None => error,
        }
    }

    /// Creates the error of a response of undocumented form that lacks what the client needs.
    pub(crate) fn unexpected_response(
        operation: OperationId,
        missing: &str,
        response: Value,
    ) -> Self {
        let message = format!("{operation}: the response has {missing}");
        Self::new(ErrorKind::UnexpectedResponse, message).with_response_body(response)
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            ErrorKind::Io,
            format!("cannot write {}: {error}", path.display()),
        )
    }

    /// Changes the error to that of a failed poll. `has_started` is false if only an id of the work
    /// is known, so that a 404 may mean that the work never existed.
    pub(crate) fn of_poll(self, handle_key: String, has_started: bool) -> Self {
        let started = match self.is_not_found() && !has_started {
            true => Started::Maybe,
            false => Started::Yes,
        };
        self.with_started(started).with_handle_key(handle_key)
    }

    pub(crate) fn with_handle_key(self, key: String) -> Self {
        self.change(|details| details.handle_key = Some(key))
    }

    fn with_started(self, started: Started) -> Self {
        self.change(|details| details.started = started)
    }

    fn with_raw(self, raw: Arc<checksum_api::Error>) -> Self {
        self.change(|details| details.raw = Some(raw))
    }

    fn with_response_body(self, body: Value) -> Self {
        self.change(|details| details.response_body = Some(body))
    }

    /// Adds the response that lacks what the client needs, and replaces the API key by `***`.
    pub(crate) fn of_response(self, client: &checksum_api::Client, response: &RawResponse) -> Self {
        let redact = |text: &str| client.redact(text).into_owned();
        let status = response.status.as_u16();
        let response = Some((status, response.request_id().map(redact)));
        self.change(|details| details.response = response)
            .redacted(&redact)
    }

    /// Returns the error with the secrets of the request replaced by `***`.
    pub(crate) fn without(self, secrets: &Redactor) -> Self {
        self.redacted(&|text| secrets.redact(text).into_owned())
    }

    fn redacted(self, redact: &dyn Fn(&str) -> String) -> Self {
        self.change(|details| {
            if let Some(body) = &mut details.response_body {
                redact_json(body, redact);
            }
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the work that the failed call was to start has started.
    ///
    /// [`Started::Yes`] for the error of a poll or a wait, which is about work that exists;
    /// [`Started::No`] for the error of a request that starts nothing.
    pub fn started(&self) -> Started {
        self.0.started
    }

    /// Returns the key of the [`Handle`](crate::Handle) of the work, such as `run:job-name-12345`,
    /// if a poll or a wait failed. It is enough to resume the work, for example after
    /// `run.start().await?.await?` failed.
    pub fn handle_key(&self) -> Option<&str> {
        self.0.handle_key.as_deref()
    }

    /// Returns the HTTP status code, if a response came.
    pub fn status_code(&self) -> Option<u16> {
        let status = self.raw().and_then(checksum_api::Error::status);
        let of_success = self.0.response.as_ref().map(|(status, _)| *status);
        status.map(|status| status.as_u16()).or(of_success)
    }

    /// Returns how long to wait before a retry, from the response's `Retry-After` header.
    pub fn retry_after(&self) -> Option<Duration> {
        self.raw()?.retry_after()
    }

    /// Returns the id that the service, or a proxy before it, gave the request. The service's
    /// support needs it to find the request.
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.response {
            Some((_, id)) => id.as_deref(),
            None => self.raw()?.request_id(),
        }
    }

    /// Returns the body of a successful response in which the client did not find what it needs.
    pub fn response_body(&self) -> Option<&Value> {
        self.0.response_body.as_ref()
    }

    /// Returns the failed request, if one was sent; for a wait, the last one that failed.
    pub fn raw(&self) -> Option<&checksum_api::Error> {
        self.0.raw.as_deref()
    }

    /// Returns whether the response was 401: the API key is missing, wrong or expired.
    pub fn is_unauthorized(&self) -> bool {
        self.is_raw_kind(RawKind::Unauthorized)
    }

    /// Returns whether the response was 403: the API key may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.is_raw_kind(RawKind::Forbidden)
    }

    /// Returns whether the response was 404: the service does not know the run, batch or
    /// collection.
    pub fn is_not_found(&self) -> bool {
        self.is_raw_kind(RawKind::NotFound)
    }

    /// Returns whether a wait's deadline passed. The work goes on; resume it from its handle.
    pub fn is_deadline_exceeded(&self) -> bool {
        self.kind() == ErrorKind::DeadlineExceeded
    }

    /// Returns whether the same call may succeed a little later. It is never true of a start that
    /// may have succeeded.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::MayHaveStarted | ErrorKind::PollingFailed => false,
            ErrorKind::TruncatedFile | ErrorKind::StalledDownload => true,
            _ => self.raw().is_some_and(checksum_api::Error::is_transient),
        }
    }

    fn is_raw_kind(&self, kind: RawKind) -> bool {
        self.raw().is_some_and(|error| error.kind() == kind)
    }
}

/// The error of a request that starts nothing, or that the service certainly did not act on.
impl From<checksum_api::Error> for Error {
    fn from(error: checksum_api::Error) -> Self {
        let kind = match error.kind() {
            RawKind::InvalidRequest => ErrorKind::InvalidRequest,
            RawKind::Unauthorized => ErrorKind::Unauthorized,
            RawKind::Forbidden => ErrorKind::Forbidden,
            RawKind::NotFound => ErrorKind::NotFound,
            RawKind::Rejected if !error.is_transient() => ErrorKind::Rejected,
            RawKind::TooLarge
            | RawKind::Redirect
            | RawKind::InvalidJson
            | RawKind::UnexpectedBody => ErrorKind::UnexpectedResponse,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, error.to_string()).with_raw(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)?;
        if let Some(body) = self.response_body() {
            write!(formatter, ": {}", excerpt(body))?;
        }
        formatter.write_str(self.0.advice)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.kind())
            .field("started", &self.started())
            .field("text", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.raw().and_then(StdError::source)
    }
}

/// Returns the beginning of a response body, on one line.
fn excerpt(body: &Value) -> String {
    // JSON leaves some control characters as they are: DEL, and those from U+0080 to U+009F.
    let text = body.to_string().replace(char::is_control, " ");
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds => format!("{seconds} s"),
    }
}
