use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::exchange::Exchange;
use crate::{ApiKey, BaseUrl, Client, Connection, Transport};

/// How many redirects within the origin are followed.
pub(crate) const MAX_REDIRECTS: usize = 5;

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
    /// The TLS settings could not be made.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
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

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// The base URL would expose the key, or TLS or the HTTP client could not be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        if self.base_url.is_exposed() && !self.plain_http {
            return Err(BuildError::PlainHttp(self.base_url));
        }
        // reqwest takes a process-wide provider or one that is passed in. The process is the
        // application's, so this passes one in.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(self.connect_timeout)
            .user_agent(self.user_agent)
            .referer(false)
            .redirect(redirect_policy(self.base_url.clone()))
            .build()?;
        let base_url = self.base_url.as_str().to_owned();
        let connection = Connection {
            api_key: self.api_key,
            base_url: self.base_url,
            request_timeout: self.request_timeout,
            max_response_bytes: self.max_response_bytes,
            transport: self.transport,
            members: Arc::default(),
            tap: None,
            exchange: Exchange::default(),
        };
        Ok(Client::new_with_client(&base_url, http, connection))
    }
}

/// Follows redirects within the origin. One that leaves it is not followed: the key must not go
/// there, and an API that has moved is news for a person.
fn redirect_policy(base_url: BaseUrl) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() <= MAX_REDIRECTS && base_url.is_same_origin(attempt.url()) {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}
