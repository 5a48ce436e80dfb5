//! Classifies failures, and writes their messages.

use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;

use super::kind::ErrorKind;
use super::service_message::service_message;
use super::text::{body_excerpt, truncate_line};
use crate::call_state::CallState;
use crate::config::base_url::is_loopback;
use crate::decode::lenient::DecodeError;
use crate::network::redirect::Unfollowed;
use crate::network::{proxy, tls};
use crate::redaction::Redactor;
use crate::response::is_page;
use crate::transport::{Reason, TransportError, root_cause};

/// The advice after a page of HTML.
const NOT_THE_API: &str =
    "; it is not from the API: check the base URL, or the proxy in front of it";

/// The part of an [`Error`](super::Error) that does not depend on the call that failed.
pub(crate) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    pub(super) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("no response within {limit:?}"))
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the response body is larger than {limit} bytes");
        Self::new(ErrorKind::TooLarge, message)
    }

    /// `source` may be any error of the program.
    pub(crate) fn no_api_key(source: Box<dyn StdError + Send + Sync>, secrets: &Redactor) -> Self {
        let cause = truncate_line(&source.to_string(), secrets);
        Self {
            kind: ErrorKind::NoApiKey,
            message: format!("the API key provider failed: {cause}"),
            source: Some(source),
        }
    }

    /// Adds the URL of a download, without its query, which often contains an access token.
    pub(crate) fn with_url(mut self, url: &url::Url, secrets: &Redactor) -> Self {
        let address = format!("{}{}", url.origin().ascii_serialization(), url.path());
        let address = truncate_line(&address, secrets);
        self.message = format!("GET {address}: {}", self.message);
        self
    }

    pub(crate) fn from_decoding(
        error: DecodeError,
        body: &[u8],
        call: &CallState,
        secrets: &Redactor,
    ) -> Self {
        match error {
            DecodeError::InvalidJson(error) => {
                let excerpt = body_excerpt(body, secrets);
                let message = match is_page(body) {
                    true => format!("expected JSON, got an HTML page: {excerpt}{NOT_THE_API}"),
                    false => format!("expected JSON, got {excerpt} ({error})"),
                };
                Self::new(ErrorKind::InvalidJson, message)
            }
            DecodeError::Shape { path, reason } => {
                // Serde's message contains the value, of any length.
                let reason = truncate_line(&reason, secrets);
                let mut message = format!("unexpected response at `{path}`: {reason}");
                // The body may name the work that was started.
                if call.operation.is_some_and(|operation| !operation.is_read()) {
                    message = format!("{message}, in {}", body_excerpt(body, secrets));
                }
                Self::new(ErrorKind::UnexpectedBody, message)
            }
        }
    }

    pub(crate) fn from_transport(error: TransportError, secrets: &Redactor) -> Self {
        // A TLS error after the handshake is a lost connection, since the request may have been sent.
        if error.reason() == Reason::NotSent
            && let Some(failure) = Self::from_tls(&error, secrets)
        {
            return Self {
                source: Some(error.into_source()),
                ..failure
            };
        }
        let kind = match error.reason() {
            Reason::InvalidRequest => ErrorKind::InvalidRequest,
            Reason::NoTls => ErrorKind::Tls,
            Reason::NotSent => ErrorKind::Connect,
            Reason::Timeout => ErrorKind::Timeout,
            Reason::ConnectionLost => ErrorKind::ConnectionLost,
        };
        let place = match error.url() {
            Some(url) if kind == ErrorKind::Connect => server(url),
            _ => String::new(),
        };
        let what = format!("{error}{place}");
        let source = error.into_source();
        let cause = truncate_line(&root_cause(source.as_ref()).to_string(), secrets);
        let (message, source) = match kind {
            // The source would repeat the message.
            ErrorKind::Tls => (cause, None),
            ErrorKind::Timeout => (what, Some(source)),
            _ => (format!("{what}: {cause}"), Some(source)),
        };
        Self {
            kind,
            message,
            source,
        }
    }

    fn from_tls(error: &TransportError, secrets: &Redactor) -> Option<Self> {
        let cause = tls::cause(error)?;
        let advice = tls::advice(cause);
        let cause = truncate_line(&cause.to_string(), secrets);
        let place = error.url().map(|url| url.origin().ascii_serialization());
        let place = place.unwrap_or_else(|| "the server".to_owned());
        let message = format!("no TLS connection to {place}: {cause}; {advice}");
        Some(Self::new(ErrorKind::Tls, message))
    }

    /// Classifies a response whose status code is not a success.
    pub(crate) fn from_response(
        status: StatusCode,
        body: &[u8],
        call: &CallState,
        secrets: &Redactor,
    ) -> Self {
        let kind = match status.as_u16() {
            // The connection now speaks another protocol, which nobody requested.
            101 => ErrorKind::ConnectionLost,
            300..=399 => ErrorKind::Redirect,
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Rejected,
            _ => ErrorKind::Server,
        };
        let message = if kind == ErrorKind::Redirect {
            redirected(call.unfollowed.as_ref(), secrets)
        } else {
            service_message(body, secrets).unwrap_or_else(|| {
                let excerpt = body_excerpt(body, secrets);
                match kind {
                    // A proxy's page, for a moment in which the service does not respond.
                    ErrorKind::Server | ErrorKind::RateLimited => excerpt,
                    _ if is_page(body) => format!("an HTML page: {excerpt}{NOT_THE_API}"),
                    _ => excerpt,
                }
            })
        };
        Self::new(kind, message)
    }
}

/// Returns the server to which no connection was made. It may be the proxy that did not respond.
fn server(url: &url::Url) -> String {
    let origin = url.origin().ascii_serialization();
    match proxy::variable(url).filter(|_| !is_loopback(url)) {
        Some(variable) => format!(" to {origin} (a proxy is set in {variable})"),
        None => format!(" to {origin}"),
    }
}

fn redirected(unfollowed: Option<&Unfollowed>, secrets: &Redactor) -> String {
    let Some(Unfollowed { from, to }) = unfollowed else {
        return "redirected, which was not followed; check the base URL".to_owned();
    };
    let from = truncate_line(from, secrets);
    let to = match to {
        Some((to, reason)) => format!(
            "to {}, which was not followed, since {reason}",
            truncate_line(to, secrets)
        ),
        None => "without an address that can be read".to_owned(),
    };
    format!("{from} redirected the request {to}; check the base URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_set_up_of_tls_is_said_once() {
        let error = TransportError::new(Reason::NoTls, "no certificates");
        let failure = Failure::from_transport(error, &Redactor::new());
        assert_eq!(failure.kind, ErrorKind::Tls);
        assert_eq!(failure.message, "no certificates");
        assert!(failure.source.is_none());
    }
}
