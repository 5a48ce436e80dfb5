//! Sends a request, follows its redirects, and reads the response within its limits.

use bytes::{Bytes, BytesMut};
use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Request, Response};
use serde_json::Value;

use super::Client;
use super::body::{NotPlain, plain};
use crate::call_state::CallState;
use crate::decode::Arriving;
use crate::error::failure::Failure;
use crate::network::redirect::{self, Hop};
use crate::operation::Operation;
use crate::redaction::Redactor;
use crate::response::{MAX_ERROR_BYTES, RawResponse};
use crate::telemetry::TARGET;
use crate::transport::{Reason, TransportError};

/// Why no complete response came.
pub(super) enum ExchangeError {
    Transport(TransportError),
    /// The body is larger than this number of bytes.
    TooLarge(usize),
}

impl ExchangeError {
    /// Returns the word for `error.type` of a span.
    pub(super) fn error_type(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.error_type(),
            Self::TooLarge(_) => "too_large",
        }
    }

    pub(super) fn into_failure(self, secrets: &Redactor) -> Failure {
        match self {
            Self::Transport(error) => Failure::from_transport(error, secrets),
            Self::TooLarge(limit) => Failure::too_large(limit),
        }
    }
}

/// Sends a request and reads its response. `arriving` takes the body of a success if it is large; the
/// response then has its beginning. `call` knows the head of the response even if its body does
/// not arrive, and also if this is dropped.
pub(super) async fn exchange(
    client: &Client,
    call: &mut CallState,
    operation: &Operation,
    request: &Request,
    arriving: Option<&mut dyn Arriving>,
) -> Result<RawResponse, ExchangeError> {
    call.response = None;
    let response = follow(client, call, request, operation.redirects).await;
    let response = response.map_err(ExchangeError::Transport)?;
    read(client, call, response, arriving).await
}

/// Sends a request, and follows redirects that are safe to follow. With `is_address`, the operation
/// returns an address, and a redirect to it counts as the response.
async fn follow(
    client: &Client,
    call: &mut CallState,
    request: &Request,
    is_address: bool,
) -> Result<Response, TransportError> {
    let is_read = request.method() == Method::GET;
    let mut followed = 0;
    let mut target = None;
    loop {
        let mut sent = request.try_clone().ok_or_else(|| {
            TransportError::new(Reason::InvalidRequest, "the body cannot be sent again")
        })?;
        if let Some(target) = &target {
            sent.url_mut().clone_from(target);
        }
        let url = target.as_ref().unwrap_or(request.url());
        let outcome = client.transport.send(sent).await;
        let responded = match &outcome {
            Ok(response) => Some(response.url()),
            Err(error) => error.url(),
        };
        if let Some(elsewhere) = responded.filter(|at| redirect::is_elsewhere(url, at)) {
            call.elsewhere = Some(redirect::place(elsewhere));
            call.may_have_taken_effect = !is_read;
            return outcome;
        }
        let mut response = outcome?;
        if is_address && let Some(address) = redirect::address(url, &response) {
            let body = Value::from(address.as_str()).to_string();
            let mut address = http::Response::new(body);
            *address.headers_mut() = std::mem::take(response.headers_mut());
            for of_body in [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE] {
                address.headers_mut().remove(of_body);
            }
            return Ok(address.into());
        }
        let hop = Hop {
            base_url: &client.baseurl,
            url,
            is_read,
            followed,
        };
        match hop.next(response.status(), response.headers()) {
            Ok(Some(next)) => {
                tracing::debug!(
                    target: TARGET,
                    status = response.status().as_u16(),
                    to = redirect::place(&next),
                    "redirected"
                );
                target = Some(next);
                followed += 1;
            }
            Ok(None) => return Ok(response),
            Err(unfollowed) => {
                call.unfollowed = Some(unfollowed);
                return Ok(response);
            }
        }
    }
}

/// Reads the body within its limit.
async fn read(
    client: &Client,
    call: &mut CallState,
    mut response: Response,
    arriving: Option<&mut dyn Arriving>,
) -> Result<RawResponse, ExchangeError> {
    let status = response.status();
    let is_error = !status.is_success();
    let head = call.response.insert(RawResponse {
        status,
        headers: std::mem::take(response.headers_mut()),
        body: Bytes::new(),
    });
    let limit = if is_error {
        MAX_ERROR_BYTES
    } else {
        client.max_response_bytes
    };
    let is_plain = !head.headers.contains_key(CONTENT_ENCODING);
    let mut arriving = arriving.filter(|_| !is_error && is_plain && client.inspector.is_none());
    let mut size = 0;
    let mut body = Bytes::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if size + chunk.len() <= limit => {
                let before = size;
                size += chunk.len();
                match &mut arriving {
                    Some(arriving) if size > MAX_ERROR_BYTES => {
                        if before <= MAX_ERROR_BYTES {
                            arriving.feed(&body);
                            // Copied, because the chunk may be much larger.
                            let room = (MAX_ERROR_BYTES - before).min(chunk.len());
                            body = append(body, Bytes::copy_from_slice(&chunk[..room]));
                        }
                        arriving.feed(&chunk);
                    }
                    _ => body = append(body, chunk),
                }
            }
            // The beginning of an error response is enough for a message.
            Ok(Some(chunk)) if is_error => {
                let rest = limit - size;
                body = append(body, chunk.slice(..rest));
                break;
            }
            Err(_) if is_error => break,
            Ok(Some(_)) => return Err(ExchangeError::TooLarge(limit)),
            Err(error) => return Err(lost(error.without_url())),
        }
    }
    tracing::Span::current().record("http.response.body.size", size);
    head.body = match plain(&mut head.headers, body, limit, is_error) {
        Ok(body) => body,
        Err(NotPlain::TooLarge) => return Err(ExchangeError::TooLarge(limit)),
        Err(NotPlain::Broken(error)) => return Err(lost(error)),
    };
    if let Some(inspect) = &client.inspector {
        inspect(head);
    }
    let complete = RawResponse {
        status,
        headers: std::mem::take(&mut head.headers),
        body: std::mem::take(&mut head.body),
    };
    Ok(complete)
}

/// Returns both parts as one. A body that came in one part is not copied.
fn append(body: Bytes, chunk: Bytes) -> Bytes {
    if body.is_empty() {
        return chunk;
    }
    let mut body = BytesMut::from(body);
    body.extend_from_slice(&chunk);
    body.freeze()
}

fn lost(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ExchangeError {
    ExchangeError::Transport(TransportError::connection_lost(error))
}

/// Turns a body that is a plain-text address into a JSON string. Returns any other body, such as a
/// page of HTML, unchanged.
pub(super) fn address_as_json(body: Bytes) -> Bytes {
    let text = str::from_utf8(&body).map(str::trim).unwrap_or_default();
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    match is_address && !text.contains(char::is_whitespace) {
        true => Value::from(text).to_string().into(),
        false => body,
    }
}
