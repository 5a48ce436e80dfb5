//! How requests reach a server: reqwest clients, TLS, proxies, redirects.

pub(crate) mod http_clients;
pub(crate) mod proxy;
pub(crate) mod redirect;
pub(crate) mod tls;
