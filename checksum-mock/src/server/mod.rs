//! HTTP: authentication, the request log, faults, files, and connections.

mod api_key;
mod app;
mod connection;
mod faults;
mod files;
mod request_log;

pub(crate) use api_key::ApiKey;
pub(crate) use app::{App, BASE_PATH, Settings, router};
pub(crate) use connection::{Limits, serve};
pub use request_log::RecordedRequest;
