//! The HTTP clients that requests of a [`Client`](crate::Client) go through. Operations and files
//! use the same ones.

use std::sync::OnceLock;
use std::time::Duration;

use url::Url;

use crate::base_url::is_loopback;
use crate::{proxy, tls};

/// One HTTP client for each way to a server, made when it is first used: reading the root
/// certificates is by far the most expensive thing that this crate does at its start, and plain http
/// needs none.
pub(crate) struct HttpClients {
    connect_timeout: Duration,
    user_agent: String,
    /// Plain http to this machine: without a proxy, and without root certificates.
    loopback: reqwest::Client,
    /// The others, by what they need.
    others: [OnceLock<reqwest::Client>; 3],
}

/// What a request needs of its client.
#[derive(Clone, Copy)]
struct Route {
    /// Nothing that is meant for this machine may leave it.
    is_loopback: bool,
    /// The server, or the proxy before it, has a certificate that is to be verified.
    needs_roots: bool,
}

/// Why there is no client for a URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// TLS is compiled in and cannot be set up here.
    #[error(transparent)]
    SetUp(#[from] reqwest::Error),
    /// No TLS feature is switched on.
    #[error(
        "checksum-api was compiled without TLS; \
         switch one of its features `rustls` and `native-tls` on"
    )]
    NotCompiled,
    /// With the feature `rustls-no-provider`.
    #[error("{}", tls::NO_PROVIDER)]
    NoProvider,
}

impl HttpClients {
    pub(crate) fn new(connect_timeout: Duration, user_agent: String) -> Result<Self, ClientError> {
        let loopback = Route {
            is_loopback: true,
            needs_roots: false,
        };
        Ok(Self {
            loopback: loopback.client(connect_timeout, &user_agent)?,
            others: Default::default(),
            connect_timeout,
            user_agent,
        })
    }

    /// The one for plain http to this machine, which is cheap to have.
    pub(crate) fn loopback(&self) -> &reqwest::Client {
        &self.loopback
    }

    /// The one that a request to that URL goes through. A failure is not kept: certificates may be
    /// installed while a service runs.
    pub(crate) fn for_url(&self, url: &Url) -> Result<&reqwest::Client, ClientError> {
        let route = Route::to(url);
        if url.scheme() == "https" && !tls::IS_COMPILED {
            return Err(ClientError::NotCompiled);
        }
        let slot = match route {
            Route {
                is_loopback: true,
                needs_roots: false,
            } => return Ok(&self.loopback),
            Route {
                is_loopback: true,
                needs_roots: true,
            } => &self.others[0],
            Route {
                is_loopback: false,
                needs_roots: false,
            } => &self.others[1],
            Route {
                is_loopback: false,
                needs_roots: true,
            } => &self.others[2],
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = route.client(self.connect_timeout, &self.user_agent)?;
        Ok(slot.get_or_init(|| client))
    }
}

impl Route {
    fn to(url: &Url) -> Self {
        let is_loopback = is_loopback(url);
        Self {
            is_loopback,
            needs_roots: url.scheme() == "https" || !is_loopback && proxy::has_tls(url),
        }
    }

    fn client(
        self,
        connect_timeout: Duration,
        user_agent: &str,
    ) -> Result<reqwest::Client, ClientError> {
        if tls::lacks_provider() {
            return Err(ClientError::NoProvider);
        }
        // Redirects are followed, or not, by what sends requests: see `redirect`.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(connect_timeout)
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none());
        if self.is_loopback {
            builder = builder.no_proxy();
        }
        builder = match self.needs_roots {
            true => tls::with_roots(builder),
            false => tls::without_roots(builder),
        };
        Ok(builder.build()?)
    }
}
