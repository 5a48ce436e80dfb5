//! The interface that sends requests: reqwest, or the program's own HTTP stack.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;

use reqwest::{Method, Request, Response};
use url::Url;

/// Sends a request to the service, and returns the response.
///
/// The default sends with reqwest. Use another transport to send with the program's own HTTP client
/// (a [`reqwest::Client`] is a transport), to add layers, to replay recorded traffic, or to call a
/// mock server without a socket, so that a test can pause tokio's clock. A function from a request
/// to a future is a transport too:
///
/// ```
/// use checksum_api::{ApiKey, Client, TransportError};
/// # #[derive(Debug)]
/// # struct PoolError;
/// # impl std::fmt::Display for PoolError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no") }
/// # }
/// # impl std::error::Error for PoolError {}
/// # async fn send_with_own_stack(_: reqwest::Request) -> Result<reqwest::Response, PoolError> {
/// #     Err(PoolError)
/// # }
///
/// let client = Client::builder(ApiKey::new("my-key")?)
///     .transport(|request| async move {
///         let response = send_with_own_stack(request).await;
///         response.map_err(TransportError::not_sent)
///     })
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The API key is a header of the request. The transport sends each request once and follows no
/// redirect: the client decides whether a request that starts work may be sent again, and follows
/// redirects itself. If a transport follows redirects anyway, the client sees it in the URL of the
/// response, and treats a failed start as one that may have taken effect. An error does not show
/// it.
///
/// Build a `reqwest::Client` with `redirect::Policy::none()`. With any other policy, a start whose
/// connection failed counts as one that may have taken effect, since reqwest does not say whether
/// the failed connection was the first one.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request.
    fn send(&self, request: Request) -> TransportFuture;
}

/// The future that [`Transport::send`] returns.
pub type TransportFuture = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send>>;

impl<F, Sending> Transport for F
where
    F: Fn(Request) -> Sending + Send + Sync + 'static,
    Sending: Future<Output = Result<Response, TransportError>> + Send + 'static,
{
    fn send(&self, request: Request) -> TransportFuture {
        Box::pin(self(request))
    }
}

impl Transport for reqwest::Client {
    fn send(&self, request: Request) -> TransportFuture {
        let may_repeat_a_start = request.method() != Method::GET && may_follow_redirects(self);
        let sending = self.execute(request);
        Box::pin(async move {
            let error = match sending.await {
                Ok(response) => return Ok(response),
                Err(error) => TransportError::from(error),
            };
            if may_repeat_a_start && !error.may_have_been_sent() {
                let cause = root_cause(error.source.as_ref());
                let message = format!("{cause}, perhaps {AFTER_A_REDIRECT}");
                return Err(TransportError::connection_lost(message));
            }
            Err(error)
        })
    }
}

/// The text after a failed connection, if it may have followed a redirect.
const AFTER_A_REDIRECT: &str =
    "after a redirect, since the HTTP client is not built with `redirect::Policy::none()`";

/// Returns whether a client may follow redirects by itself. Only its `Debug` text shows it. Returns
/// `true` for any text that does not show it.
fn may_follow_redirects(client: &reqwest::Client) -> bool {
    !format!("{client:?}").contains(r#"redirect_policy: "Policy(None)""#)
}

/// The error of a [`Transport`]: why no response came, and whether the service may have received
/// the request.
///
/// A request that starts work is repeated only after [`not_sent`](Self::not_sent).
pub struct TransportError {
    reason: Reason,
    /// The URL that the request was last sent to.
    url: Option<Box<Url>>,
    source: Box<dyn StdError + Send + Sync>,
}

/// Why no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The request cannot be built.
    InvalidRequest,
    /// Nothing was sent, because TLS cannot be set up.
    NoTls,
    /// No connection was made.
    NotSent,
    Timeout,
    ConnectionLost,
}

impl TransportError {
    /// Creates an error that says that nothing was sent, for example because no connection could be
    /// made. The service has not received the request.
    pub fn not_sent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Reason::NotSent, source)
    }

    /// Creates an error that says that no response came in time. The service may have acted on the
    /// request.
    pub fn timeout(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Reason::Timeout, source)
    }

    /// Creates an error that says that the connection was lost before the response was complete.
    /// The service may have acted on the request. Use this one if you do not know what was sent.
    pub fn connection_lost(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Reason::ConnectionLost, source)
    }

    pub(crate) fn new(reason: Reason, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            reason,
            url: None,
            source: source.into(),
        }
    }

    /// Returns whether the service may have received the request, or a part of it.
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self.reason, Reason::Timeout | Reason::ConnectionLost)
    }

    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_deref()
    }

    pub(crate) fn into_source(self) -> Box<dyn StdError + Send + Sync> {
        self.source
    }

    /// Returns the word for `error.type` of a span.
    pub(crate) fn error_type(&self) -> &'static str {
        match self.reason {
            Reason::InvalidRequest => "invalid_request",
            Reason::NoTls => "tls",
            Reason::NotSent => "connect",
            Reason::Timeout => "timeout",
            Reason::ConnectionLost => "connection_lost",
        }
    }
}

/// Returns the error at the end of the chain: reqwest's own text does not name the cause.
pub(crate) fn root_cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.reason {
            Reason::InvalidRequest => "the request cannot be made",
            Reason::NoTls => "TLS cannot be set up",
            Reason::NotSent => "no connection",
            Reason::Timeout => "no response in time",
            Reason::ConnectionLost => "the connection was lost before the response was complete",
        })
    }
}

/// The URL is left out: its query may be what grants access to a file.
impl fmt::Debug for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransportError")
            .field("reason", &self.reason)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        let reason = if error.is_connect() {
            Reason::NotSent
        } else if error.is_timeout() {
            Reason::Timeout
        } else if error.is_builder() {
            Reason::InvalidRequest
        } else {
            Reason::ConnectionLost
        };
        let url = error.url().cloned().map(Box::new);
        // The URL's query may contain the search text of a request.
        let source = error.without_url().into();
        Self {
            reason,
            url,
            source,
        }
    }
}
