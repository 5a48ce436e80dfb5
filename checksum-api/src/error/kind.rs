//! The kinds of errors.

/// The kind of an error, for programs to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is invalid. Nothing was sent.
    InvalidRequest,
    /// The [`ApiKeyProvider`](crate::ApiKeyProvider) failed or did not return in time. Nothing was sent.
    NoApiKey,
    /// No connection was made, so the service has not received the request.
    Connect,
    /// TLS failed: the server's certificate is not valid, the handshake failed, or TLS cannot be set up
    /// on this machine. Nothing was sent, and a retry does not help.
    Tls,
    /// No complete response came in time.
    Timeout,
    /// The connection was lost before the response was complete.
    ConnectionLost,
    /// The response is larger than the limit.
    TooLarge,
    /// The service redirected the request, and the redirect was not followed.
    Redirect,
    /// 401: the key is missing, wrong or expired.
    Unauthorized,
    /// 403: the key does not permit this.
    Forbidden,
    /// 404: no such run, batch or collection.
    NotFound,
    /// 429: too many requests.
    RateLimited,
    /// Any other 4xx: the service rejected the request.
    Rejected,
    /// 5xx: the service, or a proxy in front of it, failed.
    Server,
    /// The status code is a success, but the body is not JSON or is truncated.
    InvalidJson,
    /// The status code is a success, but a field that the client needs is missing or has another
    /// type.
    UnexpectedBody,
}
