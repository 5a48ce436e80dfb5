use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Request, Response};
use serde_json::{Map, Value};
use url::Url;

use crate::answer::Tap;
use crate::http_clients::{ClientError, HttpClients};
use crate::{ApiKey, BaseUrl, Transport};

/// What every call of a [`Client`](crate::Client) shares: the key, the base URL and the limits.
///
/// Made by [`Client::builder`](crate::Client::builder) alone.
#[derive(Clone)]
pub struct Connection {
    pub(crate) api_key: ApiKey,
    pub(crate) base_url: BaseUrl,
    pub(crate) request_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// What sends requests where there is no transport.
    pub(crate) http: Arc<HttpClients>,
    /// Members that every JSON body is sent with, beside those that the document knows.
    pub(crate) members: Arc<Map<String, Value>>,
    /// What sees each answer before it is decoded.
    pub(crate) tap: Option<Tap>,
}

impl Connection {
    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// Makes sure that there is something to send a request to that URL with.
    pub(crate) fn client_for(&self, url: &Url) -> Result<(), ClientError> {
        match &self.transport {
            Some(_) => Ok(()),
            None => self.http.for_url(url).map(|_| ()),
        }
    }

    /// Sends one request, for which there [is a client](Self::client_for).
    pub(crate) async fn send(&self, request: Request) -> reqwest::Result<Response> {
        match &self.transport {
            Some(transport) => transport.send(request).await,
            None => {
                // It was made by `client_for`; one without root certificates accepts no server.
                let client = self.http.for_url(request.url());
                let client = client.unwrap_or_else(|_| self.http.loopback());
                client.execute(request).await
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("api_key", &self.api_key)
            .field("base_url", &self.base_url)
            .field("request_timeout", &self.request_timeout)
            .field("max_response_bytes", &self.max_response_bytes)
            .finish_non_exhaustive()
    }
}
