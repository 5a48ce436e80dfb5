//! The settings of a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use crate::config::api_key_provider::ApiKeyProvider;
use crate::config::base_url::BaseUrl;
use crate::config::current_key::CurrentKey;
use crate::network::http_clients::{ClientError, HttpClients, HttpOptions};
use crate::network::proxy::{self, UnusableProxy};
use crate::network::tls;
use crate::telemetry::TraceContext;
use crate::transport::{Transport, root_cause};

/// The settings of a [`Client`]. Returned by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    api_key: Arc<dyn ApiKeyProvider>,
    base_url: BaseUrl,
    request_timeout: Duration,
    max_response_bytes: usize,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
    trace_context: Option<TraceContext>,
    http: HttpOptions,
}

/// Why a [`Client`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is plain http and not on this machine, so anyone on the network could read the
    /// key. [`ClientBuilder::allow_plain_http`] allows it.
    #[error(
        "the API key is not sent over plain http to {0}, since anyone on the network could read it; \
         use https"
    )]
    PlainHttp(BaseUrl),
    /// The program has installed no TLS provider, and the feature `rustls-no-provider` is enabled.
    #[error("{}", tls::NO_PROVIDER)]
    NoTlsProvider,
    /// The environment names a proxy that cannot be used for this base URL.
    #[error("{variable} cannot be used: {reason}; correct it, or name the host in NO_PROXY")]
    Proxy {
        /// The name of the environment variable, such as `ALL_PROXY`.
        variable: &'static str,
        /// Why it cannot be used, without its value, which may contain a password.
        reason: String,
    },
    /// A value given to [`ClientBuilder::add_root_certificates`] is not PEM with certificates.
    #[error("the root certificates cannot be read: {0}")]
    RootCertificates(String),
    /// The HTTP client could not be set up, for example because the user agent is not a valid
    /// header value.
    #[error("cannot set up the HTTP client: {}", root_cause(_0))]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// Returns a builder of a client. `api_key` is an [`ApiKey`](crate::ApiKey), or a provider of keys
    /// that rotate.
    pub fn builder(api_key: impl ApiKeyProvider) -> ClientBuilder {
        ClientBuilder {
            api_key: Arc::new(api_key),
            base_url: BaseUrl::default(),
            request_timeout: Duration::from_secs(30),
            max_response_bytes: 128 * 1024 * 1024,
            plain_http: false,
            transport: None,
            trace_context: None,
            http: HttpOptions {
                connect_timeout: Duration::from_secs(10),
                user_agent: concat!("checksum-api/", env!("CARGO_PKG_VERSION")).to_owned(),
                proxy: None,
                root_certificates: Vec::new(),
            },
        }
    }
}

impl ClientBuilder {
    /// Sets the address of the API. Default: the service, `https://api.checksum.ai/public-api`.
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// Sets how long one request may take, from connecting to the last byte of the response. Default:
    /// 30 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets how long connecting may take. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// Sets the maximum size of a response body, in bytes. Default: 128 MiB.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets the `User-Agent` header. Default: `checksum-api/` and the version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http.user_agent = user_agent.into();
        self
    }

    /// Sets the proxy, in place of those that the environment names (`HTTPS_PROXY` and the like). It is
    /// not used for servers on this machine. Default: the proxies of the environment.
    ///
    /// For a SOCKS proxy, the program must enable reqwest's feature `socks`.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.http.proxy = Some(proxy);
        self
    }

    /// Trusts the certificate authorities in `pem`, one or several certificates in PEM, in addition
    /// to those of the system. Call it once for each file.
    pub fn add_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.http.root_certificates.push(pem.into());
        self
    }

    /// Allows a plain http base URL that is not on this machine. Anyone on the network can then
    /// read the key. Default: an error.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the transport, such as a [`reqwest::Client`] that the program already has. The connect
    /// timeout, the user agent, the proxy and the root certificates are then those of the
    /// transport. Default: a reqwest client of this crate.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sends the trace context of the program with each request, so that the service's spans can join
    /// the program's trace. Default: nothing is sent.
    ///
    /// `insert` is called within the span of the request. Of what it inserts, the headers
    /// `traceparent` and `tracestate` are sent, to the origin of the base URL only. Baggage is not sent,
    /// since it may contain what only the program's own services should see. OpenTelemetry's
    /// propagators insert into this map; this one needs no more than `tracing` and has a fixed id:
    ///
    /// ```
    /// # use checksum_api::{ApiKey, Client};
    /// let trace_id = "0af7651916cd43dd8448eb211c80319c";
    /// let client = Client::builder(ApiKey::new("my-key")?)
    ///     .trace_context(move |headers| {
    ///         let span_id = tracing::Span::current().id().map_or(1, |id| id.into_u64());
    ///         headers.insert("traceparent".into(), format!("00-{trace_id}-{span_id:016x}-01"));
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trace_context(
        mut self,
        insert: impl Fn(&mut HashMap<String, String>) + Send + Sync + 'static,
    ) -> Self {
        self.trace_context = Some(Arc::new(insert));
        self
    }

    /// Builds the client. Nothing is sent, and no root certificate of the system is read: TLS is set up
    /// for the first https request.
    ///
    /// # Errors
    ///
    /// The key would cross a network unencrypted, the environment names a proxy that cannot be used, a
    /// root certificate is not PEM, or the HTTP client cannot be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        if self.base_url.sends_key_in_clear() && !self.plain_http {
            return Err(BuildError::PlainHttp(self.base_url));
        }
        let uses_environment = self.transport.is_none() && self.http.proxy.is_none();
        if uses_environment && !self.base_url.is_loopback() {
            proxy::check(self.base_url.url())?;
        }
        tls::check_certificates(&self.http.root_certificates)
            .map_err(BuildError::RootCertificates)?;
        let http = HttpClients::new(self.http)?;
        Ok(Client {
            baseurl: self.base_url,
            // The generated code builds requests with it; `transport` sends them.
            client: http.loopback().clone(),
            key: Arc::new(CurrentKey::new(self.api_key)),
            request_timeout: self.request_timeout,
            max_response_bytes: self.max_response_bytes,
            transport: self.transport.unwrap_or_else(|| Arc::new(http)),
            extra_fields: Arc::default(),
            inspector: None,
            trace_context: self.trace_context,
        })
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
