use std::sync::Arc;
use std::time::Duration;

use crate::http_clients::{ClientError, HttpClients};
use crate::proxy::{self, UnusableProxy};
use crate::{ApiKey, BaseUrl, Client, Connection, Transport, tls};

/// Settings of a [`Client`]; made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    api_key: ApiKey,
    base_url: BaseUrl,
    request_timeout: Duration,
    connect_timeout: Duration,
    max_response_bytes: usize,
    user_agent: String,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
}

/// Why a [`Client`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is plain http, and not on this machine: the key would be readable on the way.
    #[error(
        "refusing to send the API key over plain http to {0}; use https, \
         or allow plain http by name if the network in between is trusted"
    )]
    PlainHttp(BaseUrl),
    /// With the feature `rustls-no-provider`: the program has installed no TLS provider.
    #[error("{}", tls::NO_PROVIDER)]
    NoTlsProvider,
    /// The environment names a proxy that cannot be used for this base URL.
    #[error("{variable} cannot be used: {reason}; correct it, or name the host in NO_PROXY")]
    Proxy {
        /// The variable, as in `ALL_PROXY`.
        variable: &'static str,
        /// Why it cannot be used. Its value, which may hold a password, is not in it.
        reason: String,
    },
    /// The HTTP client could not be made: a user agent that is no header value, say.
    #[error("cannot set up the HTTP client")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// Starts with the key, since no call works without one.
    pub fn builder(api_key: ApiKey) -> ClientBuilder {
        ClientBuilder {
            api_key,
            base_url: BaseUrl::default(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_response_bytes: 128 * 1024 * 1024,
            user_agent: concat!("checksum-api/", env!("CARGO_PKG_VERSION")).to_owned(),
            plain_http: false,
            transport: None,
        }
    }
}

impl ClientBuilder {
    /// Where the API is; the default is the service itself.
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// How long one request may take, from connecting to the last byte of the response; 30 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long connecting may take; 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The size, in bytes, above which a response body is refused; 128 MiB.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// The `User-Agent` header; `checksum-api/` and this crate's version.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Accepts a plain http base URL that is not on this machine. The key is then readable to
    /// everyone on the way.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sends requests through something other than this crate's own HTTP client.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Builds the client. Nothing is sent, and no root certificate read: TLS is set up when the first
    /// https request is made.
    ///
    /// # Errors
    ///
    /// The base URL would expose the key, or the environment names a proxy for it that cannot be
    /// used, or the HTTP client could not be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        if self.base_url.is_exposed() && !self.plain_http {
            return Err(BuildError::PlainHttp(self.base_url));
        }
        if self.transport.is_none() && !self.base_url.is_loopback() {
            proxy::check(self.base_url.url()).map_err(BuildError::from)?;
        }
        let http = HttpClients::new(self.connect_timeout, self.user_agent)?;
        // Progenitor builds requests with this one. What sends them is chosen for each.
        let builds_requests = http.loopback().clone();
        let base_url = self.base_url.as_str().to_owned();
        let connection = Connection {
            api_key: self.api_key,
            base_url: self.base_url,
            request_timeout: self.request_timeout,
            max_response_bytes: self.max_response_bytes,
            transport: self.transport,
            http: Arc::new(http),
            members: Arc::default(),
            tap: None,
        };
        Ok(Client::new_with_client(
            &base_url,
            builds_requests,
            connection,
        ))
    }
}

impl From<ClientError> for BuildError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::SetUp(error) => Self::Http(error),
            ClientError::NoProvider | ClientError::NotCompiled => Self::NoTlsProvider,
        }
    }
}

impl From<UnusableProxy> for BuildError {
    fn from(proxy: UnusableProxy) -> Self {
        Self::Proxy {
            variable: proxy.variable,
            reason: proxy.reason,
        }
    }
}
