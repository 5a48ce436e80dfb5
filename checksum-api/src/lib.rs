//! The raw client of the Checksum public API.
//!
//! Everything that the API's OpenAPI document describes is here, compiled from it by progenitor
//! when this crate is built: [`Client`] has a method for each of the 17 operations, [`types`] the
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
//! let run = client.call(|client| async move { client.run_suite().send().await }).await?;
//! println!("started {:?}", run.name);
//! # Ok(())
//! # }
//! ```
//!
//! [`Client::call`] runs one generated call and turns whatever goes wrong into [`Error`]. Calling
//! `send()` directly gives progenitor's own error, whose `Display` prints response headers and
//! bodies whole.

mod answer;
mod api_key;
mod base_url;
mod call;
mod client_builder;
mod connection;
mod error;
mod exchange;
mod file;
#[allow(missing_docs, unreachable_pub, unused_imports, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}
mod hooks;
mod http_clients;
mod identifier;
mod members;
mod open_enum;
mod operation;
mod proxy;
mod redirect;
mod salvage;
mod secrets;
mod spans;
mod tls;
mod transport;

pub use answer::Answer;
pub use api_key::{ApiKey, InvalidApiKey};
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use client_builder::{BuildError, ClientBuilder};
pub use connection::Connection;
pub use error::{Error, ErrorKind};
pub use file::FileResponse;
pub use generated::{
    ByteStream, Client, ClientInfo, Error as GeneratedError, OPERATIONS, ResponseValue, builder,
};
pub use identifier::InvalidIdentifier;
pub use operation::{Operation, RequestBody};
pub use transport::Transport;

/// The OpenAPI document that this crate is compiled from, as YAML.
///
/// It is the text of `openapi/checksum.yaml` in the repository: for tools that read OpenAPI, and
/// for telling where the service is no longer as it says.
pub const DOCUMENT: &str = include_str!("../checksum.yaml");

/// The bodies, identifiers and open enumerations of the API.
pub mod types {
    pub use crate::generated::types::*;
    pub use crate::generated::words::*;
}
