use std::pin::Pin;

/// What carries a request to the service and brings the response back.
///
/// The default is a [`reqwest::Client`]. Another one serves a program that has a stack of its own
/// (tower layers, recorded traffic), and tests that call a stand-in without a socket, so that
/// tokio's clock can be paused. The key is part of the request that it is handed.
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
