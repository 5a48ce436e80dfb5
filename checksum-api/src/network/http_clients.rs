//! The default transport: one reqwest client for each kind of route to a server.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Request;
use url::Url;

use super::{proxy, tls};
use crate::config::base_url::is_loopback;
use crate::transport::{Reason, Transport, TransportError, TransportFuture, root_cause};

/// The options of the clients.
pub(crate) struct HttpOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) user_agent: String,
    /// Replaces the proxies that the environment names.
    pub(crate) proxy: Option<reqwest::Proxy>,
    /// Certificates in PEM, trusted in addition to the roots of the system.
    pub(crate) root_certificates: Vec<Vec<u8>>,
}

/// One HTTP client for each kind of route to a server, built when it is first used: reading the root
/// certificates is by far the most expensive thing that this crate does, and plain http needs none.
pub(crate) struct HttpClients {
    options: HttpOptions,
    /// Plain http to this machine: without a proxy, and without root certificates.
    loopback: reqwest::Client,
    /// The others, by what they need.
    others: [OnceLock<reqwest::Client>; 3],
}

/// The properties of a request that decide which client sends it.
#[derive(Clone, Copy)]
struct Route {
    /// Requests to this machine must not go through a proxy.
    is_loopback: bool,
    /// The certificate of the server, or of the proxy before it, has to be verified.
    needs_roots: bool,
}

/// Why no client could be set up for a URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// TLS is compiled in, but cannot be set up on this machine.
    #[error("{}", root_cause(_0))]
    SetUp(#[from] reqwest::Error),
    /// No TLS feature is enabled.
    #[error(
        "checksum-api was compiled without TLS; \
         switch one of its features `rustls` and `native-tls` on"
    )]
    NotCompiled,
    /// The feature `rustls-no-provider` is enabled, and no provider is installed.
    #[error("{}", tls::NO_PROVIDER)]
    NoProvider,
}

impl HttpClients {
    pub(crate) fn new(options: HttpOptions) -> Result<Self, ClientError> {
        let loopback = Route {
            is_loopback: true,
            needs_roots: false,
        };
        Ok(Self {
            loopback: loopback.client(&options)?,
            others: Default::default(),
            options,
        })
    }

    /// Returns the client for plain http to this machine, which is cheap to build.
    pub(crate) fn loopback(&self) -> &reqwest::Client {
        &self.loopback
    }

    /// Returns the client for requests to `url`. A failure is not cached, because certificates may
    /// be installed while a service runs.
    fn for_url(&self, url: &Url) -> Result<&reqwest::Client, ClientError> {
        let route = Route::to(url, self.options.proxy.is_some());
        if url.scheme() == "https" && !tls::IS_COMPILED {
            return Err(ClientError::NotCompiled);
        }
        let slot = match (route.is_loopback, route.needs_roots) {
            (true, false) => return Ok(&self.loopback),
            (true, true) => &self.others[0],
            (false, false) => &self.others[1],
            (false, true) => &self.others[2],
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = route.client(&self.options)?;
        Ok(slot.get_or_init(|| client))
    }
}

impl Transport for HttpClients {
    fn send(&self, request: Request) -> TransportFuture {
        match self.for_url(request.url()) {
            // This client follows no redirects, so its errors are about this request.
            Ok(client) => {
                let sending = client.execute(request);
                Box::pin(async move { Ok(sending.await?) })
            }
            Err(error) => {
                let place = request.url().origin().ascii_serialization();
                let mut message = format!("cannot set up TLS for {place}: {error}");
                if let ClientError::SetUp(_) = error {
                    message = format!("{message}; {}", tls::NO_ROOTS);
                }
                let error = TransportError::new(Reason::NoTls, message);
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

impl Route {
    fn to(url: &Url, has_own_proxy: bool) -> Self {
        let is_loopback = is_loopback(url);
        // The builder's proxy may be reached by TLS; reqwest does not expose its address.
        let has_tls = |url| has_own_proxy || proxy::has_tls(url);
        Self {
            is_loopback,
            needs_roots: url.scheme() == "https" || !is_loopback && has_tls(url),
        }
    }

    fn client(self, options: &HttpOptions) -> Result<reqwest::Client, ClientError> {
        if tls::lacks_provider() {
            return Err(ClientError::NoProvider);
        }
        // The client follows redirects itself, see `redirect`.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            .user_agent(&options.user_agent)
            .redirect(reqwest::redirect::Policy::none());
        if self.is_loopback {
            builder = builder.no_proxy();
        } else if let Some(proxy) = &options.proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder = match self.needs_roots {
            true => tls::with_roots(builder, &options.root_certificates)?,
            false => tls::without_roots(builder),
        };
        Ok(builder.build()?)
    }
}
