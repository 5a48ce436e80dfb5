//! The raw client of the Checksum public API.
//!
//! Everything that the API's OpenAPI document describes is here, compiled from it by progenitor
//! when this crate is built: [`Client`] has a method for each operation, [`types`] the
//! bodies. Beside that stands only what such a client needs to be safe on a real network: a key
//! that does not print, a base URL that is checked, bounded response bodies, ids that cannot
//! change a request's path, and one [`Error`] that keeps what the service said.
//!
//! Most programs want `checksum-api-ext`, which builds on this crate: runs that can be awaited,
//! watched and resumed. Take this one to have every knob in hand.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = checksum_mock::Mock::start().await?;
//! # let base_url = mock.url();
//! use checksum_api::{ApiKey, Client};
//!
//! let client = Client::builder(ApiKey::new("my-key")?).base_url(base_url.parse()?).build()?;
//!
//! let run = client.run_suite().execute().await?;
//! println!("started {:?}", run.name);
//! # Ok(())
//! # }
//! ```
//!
//! # TLS, and other users of reqwest in the program
//!
//! Cargo gives reqwest, in one program, the features of everybody who depends on it. This crate
//! therefore switches nothing on that changes what another client does (no `gzip`, `socks`, `http2`,
//! `cookies` or `system-proxy`), and installs nothing for the whole process. Its own features choose
//! the TLS, as reqwest's of the same names do:
//!
//! | feature | TLS |
//! | --- | --- |
//! | `rustls` (default) | by rustls, with the provider that reqwest brings |
//! | `rustls-no-provider` | by rustls; the program installs a provider before it builds a client, and [`BuildError::NoTlsProvider`] says so where it has not |
//! | `native-tls` | by the system's library; it is used where one of the others is on as well |
//! | none | none: plain http to this machine works, https is an error of [`ErrorKind::Tls`] |
//!
//! What cannot be avoided: with one of them on, a client that another part of the program makes has
//! TLS too, even if it asked for none. With `rustls`, its `reqwest::Client::new()` then reads the
//! system's certificate authorities, and panics on a machine that has none. The feature also brings
//! the provider aws-lc-rs: a program that uses rustls by itself with the provider ring, and calls
//! `ClientConfig::builder()` without having installed one, has to install it then, or to take
//! `rustls-no-provider` here.
//!
//! Root certificates are read when the first https request is made, so that plain http to this
//! machine works without them. Proxies come from the usual variables of the environment, and are not
//! used for this machine; socks proxies are not supported.
//!
//! `execute()` sends a request and turns whatever goes wrong into [`Error`]. The generated `send()`
//! gives progenitor's own error, whose `Display` prints response headers and bodies whole.

mod call_state;
mod client;
mod config;
mod decode;
mod download;
mod error;
mod extra_fields;
#[allow(missing_docs, unreachable_pub, unused_imports, unused_mut, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}
mod network;
mod operation;
mod pr_number;
mod redaction;
mod repo_name;
mod response;
mod telemetry;
mod transport;

pub use client::{BuildError, Client, ClientBuilder};
pub use config::api_key::{ApiKey, ParseApiKeyError};
pub use config::api_key_provider::{ApiKeyFuture, ApiKeyProvider};
pub use config::base_url::{BaseUrl, ParseBaseUrlError};
pub use decode::gate::Lenient;
pub use decode::identifier::ParseIdError;
pub use download::FileResponse;
pub use error::{Error, ErrorKind};
pub use generated::builder;
pub use operation::{Meaning, OPERATIONS, Operation, OperationId};
pub use redaction::Redactor;
pub use response::RawResponse;
pub use transport::{Transport, TransportError, TransportFuture};

/// The OpenAPI document that this crate is compiled from, as YAML.
///
/// It is the text of `openapi/checksum.yaml` in the repository: for tools that read OpenAPI, and
/// for telling where the service is no longer as it says.
pub const OPENAPI_YAML: &str = include_str!("../checksum.yaml");

/// The bodies, identifiers and open enumerations of the API.
pub mod types {
    pub use crate::generated::custom::*;
    pub use crate::generated::types::*;
}
