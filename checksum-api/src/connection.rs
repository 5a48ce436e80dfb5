use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::Tap;
use crate::exchange::Exchange;
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
    /// Members that every JSON body is sent with, beside those that the document knows.
    pub(crate) members: Arc<Map<String, Value>>,
    /// What sees each answer before it is decoded.
    pub(crate) tap: Option<Tap>,
    /// Where the hooks note what they see of the call under way.
    pub(crate) exchange: Exchange,
}

impl Connection {
    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
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
