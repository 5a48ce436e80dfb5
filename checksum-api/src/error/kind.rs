//! What went wrong, for a program.

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is invalid. Nothing was sent.
    InvalidRequest,
    /// The [`ApiKeyProvider`](crate::ApiKeyProvider) failed or did not return in time. Nothing was sent.
    NoApiKey,
    /// No connection was made, so that the service knows nothing of the request.
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
    /// A success whose body is not JSON, or truncated JSON.
    InvalidJson,
    /// A success whose body lacks a field that the client needs, or has it with another type.
    UnexpectedBody,
}
