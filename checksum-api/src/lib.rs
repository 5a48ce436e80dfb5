#![doc = include_str!("../README.md")]

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

pub use client::Client;
pub use client::builder::{BuildError, ClientBuilder};
pub use config::api_key::{ApiKey, ParseApiKeyError};
pub use config::api_key_provider::{ApiKeyFuture, ApiKeyProvider};
pub use config::base_url::{BaseUrl, ParseBaseUrlError};
pub use decode::gate::Lenient;
pub use decode::identifier::ParseIdError;
pub use download::FileResponse;
pub use error::{Error, ErrorKind};
#[doc(inline)]
pub use generated::builder;
pub use operation::{Meaning, OPERATIONS, Operation, OperationId};
pub use redaction::Redactor;
pub use response::RawResponse;
pub use transport::{Transport, TransportError, TransportFuture};

/// The OpenAPI document that this crate is compiled from, as YAML.
///
/// It is the text of `openapi/checksum.yaml` in the repository, for tools that read OpenAPI.
pub const OPENAPI_YAML: &str = include_str!("../checksum.yaml");

/// The types of bodies and parameters: structs, identifiers, open enumerations and [`Lenient`] values.
pub mod types {
    pub use crate::generated::custom::*;
    pub use crate::generated::types::*;
}
