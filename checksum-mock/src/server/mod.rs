//! HTTP: authentication, the request log, faults, files, the page for people, and connections.

mod api_key;
mod app;
mod connection;
mod control;
mod faults;
mod files;
mod page;
mod request_log;

pub(crate) use api_key::ApiKey;
pub(crate) use app::{App, BASE_PATH, Settings};
pub(crate) use connection::{Limits, serve, serve_connection};
pub(crate) use page::router;
pub use request_log::RecordedRequest;
