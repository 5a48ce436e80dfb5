use std::pin::Pin;

/// What carries a request to the service and brings the response back.
///
/// The default is a [`reqwest::Client`]. Another one serves a program that has a stack of its own
/// (tower layers, recorded traffic), and tests that call a stand-in without a socket, so that
/// tokio's clock can be paused. The key is part of the request that it is handed.
///
/// It sends each request once and follows no redirect: what a redirect means for a request that
/// starts work is decided above it, and it may be followed there. A `reqwest::Client` is therefore
/// built with `redirect::Policy::none()`. Where one follows redirects all the same, the URL of its
/// response shows it, and a start whose response is a failure counts as one that may have been acted
/// on. The URL of reqwest's errors does not show it: a redirect to where nobody listens then looks
/// like a start that nobody has seen.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request.
    fn send(&self, request: reqwest::Request) -> TransportFuture;
}

/// The response on its way.
pub(crate) type TransportFuture =
    Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>> + Send>>;

impl<F, Response> Transport for F
where
    F: Fn(reqwest::Request) -> Response + Send + Sync + 'static,
    Response: Future<Output = reqwest::Result<reqwest::Response>> + Send + 'static,
{
    fn send(&self, request: reqwest::Request) -> TransportFuture {
        Box::pin(self(request))
    }
}
