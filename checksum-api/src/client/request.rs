//! Completes the request that a generated builder has made.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};
use reqwest::Request;
use serde_json::{Map, Value};

use super::Client;
use crate::call_state::CallState;
use crate::error::ErrorKind;
use crate::error::failure::Failure;
use crate::extra_fields::deep_merge;
use crate::operation::{Operation, RequestBody};
use crate::redaction::Redactor;
use crate::transport::TransportError;

/// Why a request cannot be built. Generated code converts progenitor's errors to it.
pub(crate) enum RequestError {
    InvalidRequest(String),
    Unbuildable(reqwest::Error),
}

impl RequestError {
    /// Returns the error for a path that is not the operation's.
    pub(crate) fn changed_path() -> Self {
        let message = "an identifier changes the path, so that the request would go elsewhere";
        Self::InvalidRequest(message.to_owned())
    }

    /// Returns the error of a parameter. Its text is empty if it was not set.
    pub(crate) fn of_parameter(name: &str, text: String) -> Self {
        Self::InvalidRequest(match text.is_empty() {
            true => format!("{name} was not initialized"),
            false => text,
        })
    }

    pub(super) fn from_display(error: impl std::fmt::Display) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl From<reqwest::Error> for RequestError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unbuildable(error)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::InvalidRequest(message) => Self::new(
                ErrorKind::InvalidRequest,
                simplify_conversion_error(message),
            ),
            RequestError::Unbuildable(error) => {
                Self::from_transport(TransportError::from(error), &Redactor::new())
            }
        }
    }
}

/// What is encoded in a segment of a path, as in <https://url.spec.whatwg.org/#path-percent-encode-set>,
/// with the characters that would end the segment or begin an encoded one.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'%');

/// Returns a text as a segment of a path.
pub(crate) fn path_segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

/// Adds extra fields, and removes an empty optional body.
pub(super) fn prepare(
    client: &Client,
    operation: &Operation,
    request: &mut Request,
    call: &mut CallState,
) -> Result<(), RequestError> {
    if !client.extra_fields.is_empty() {
        add_extra_fields(request, &client.extra_fields).map_err(RequestError::from_display)?;
    }
    if operation.body == RequestBody::Optional && body(request) == Some(b"{}") {
        *request.body_mut() = None;
        request.headers_mut().remove(CONTENT_TYPE);
        request.headers_mut().remove(CONTENT_LENGTH);
    }
    if !operation.redacted_fields.is_empty() {
        let body = body(request).unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        for field in operation.redacted_fields {
            call.secrets.add_value(&body[*field]);
        }
    }
    Ok(())
}

fn body(request: &Request) -> Option<&[u8]> {
    request.body().and_then(reqwest::Body::as_bytes)
}

fn add_extra_fields(request: &mut Request, fields: &Map<String, Value>) -> serde_json::Result<()> {
    let Some(body) = body(request) else {
        return Ok(());
    };
    let mut object: Map<String, Value> = serde_json::from_slice(body)?;
    deep_merge(&mut object, fields);
    *request.body_mut() = Some(serde_json::to_vec(&object)?.into());
    request.headers_mut().remove(CONTENT_LENGTH);
    Ok(())
}

/// Rewrites progenitor's text for an invalid parameter, which has the paths of generated types:
/// "conversion to `crate :: … :: JobName` for job_name failed".
fn simplify_conversion_error(message: String) -> String {
    let parts = message
        .strip_prefix("conversion to `")
        .and_then(|rest| rest.strip_suffix(" failed"))
        .and_then(|rest| rest.split_once("` for "));
    match parts {
        Some((kind, name)) => {
            let kind = kind.rsplit("::").next().unwrap_or(kind).trim();
            format!("the value of `{name}` is not a {kind}")
        }
        None => message,
    }
}
