use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::{Request, Response, ResponseBuilderExt};
use serde_json::{Map, Value};
use tracing::Instrument;

use crate::body::{NotPlain, plain};
use crate::error::no_client;
use crate::exchange;
use crate::members::merge;
use crate::redirect::{self, Hop};
use crate::spans::{self, TARGET};
use crate::{Client, Connection, Operation, RawResponse, RequestBody};

/// How much of an error response is read: enough for any message to a person.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The header that progenitor adds to every request and that the service does not know.
const API_VERSION: &str = "api-version";

impl ClientHooks<Connection> for Client {
    async fn pre<E>(&self, request: &mut Request, info: &OperationInfo) -> Result<(), Error<E>> {
        let connection = self.inner();
        let operation = Operation::find(info.operation_id);
        exchange::note(|seen| {
            seen.operation = operation;
            request.url().path().clone_into(&mut seen.path);
        });
        let below_base = request
            .url()
            .path()
            .strip_prefix(connection.base_url.path());
        if let Some(operation) = operation
            && !below_base.is_some_and(|path| operation.matches(path))
        {
            let message = "an identifier changes the path, so that the request would go elsewhere";
            return Err(Error::InvalidRequest(message.to_owned()));
        }

        request.headers_mut().remove(API_VERSION);
        if !connection.members.is_empty() {
            add_members(request, &connection.members)
                .map_err(|error| Error::InvalidRequest(error.to_string()))?;
        }
        if operation.is_some_and(|operation| operation.body == RequestBody::Optional)
            && is_empty_object(request)
        {
            *request.body_mut() = None;
            request.headers_mut().remove(CONTENT_TYPE);
            request.headers_mut().remove(CONTENT_LENGTH);
        }
        if let Some(operation) = operation
            && !operation.redacted_fields.is_empty()
        {
            let body = request.body().and_then(reqwest::Body::as_bytes);
            let body: Value = serde_json::from_slice(body.unwrap_or_default()).unwrap_or_default();
            exchange::note(|seen| {
                for member in operation.redacted_fields {
                    seen.secrets.learn(&body[*member]);
                }
            });
        }
        let key = connection.api_key.header()?;
        request.headers_mut().insert(AUTHORIZATION, key);
        // What it is redirected to within the origin goes through the same client.
        if let Err(error) = connection.client_for(request.url()) {
            exchange::note(|seen| seen.no_client = true);
            let text = no_client(request.url(), &error);
            return Err(Error::InvalidRequest(text));
        }
        Ok(())
    }

    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        let connection = self.inner();
        let span = spans::of_operation(&request, info.operation_id);
        exchange::note(|seen| {
            seen.sent = true;
            seen.span = Some(span.clone());
        });
        let is_address =
            Operation::find(info.operation_id).is_some_and(|operation| operation.redirects);
        let exchanged = async {
            let response = follow(connection, request, is_address).await?;
            bounded(connection, response, is_address).await
        };
        let outcome = exchanged.instrument(span.clone()).await;
        spans::end(&span, &outcome);
        outcome
    }
}

/// Sends a request, and again wherever it is redirected to, as far as that is safe. Where the
/// response is an address, a redirect is one.
async fn follow(
    connection: &Connection,
    mut request: Request,
    is_address: bool,
) -> reqwest::Result<Response> {
    let is_read = request.method() == Method::GET;
    let mut followed = 0;
    loop {
        let url = request.url().clone();
        let again = request.try_clone();
        let outcome = connection.send(request).await;
        let responded = match &outcome {
            Ok(response) => Some(response.url()),
            Err(error) => error.url(),
        };
        let elsewhere = responded.filter(|responded| redirect::is_elsewhere(&url, responded));
        if let Some(elsewhere) = elsewhere {
            let elsewhere = redirect::place(elsewhere);
            exchange::note(|seen| {
                seen.elsewhere = Some(elsewhere);
                seen.may_have_taken_effect = !is_read;
            });
            return outcome;
        }
        let response = outcome?;
        if is_address && let Some(address) = redirect::address(&url, &response) {
            let body = Value::from(address.as_str()).to_string();
            return Ok(Response::from(http::Response::new(body)));
        }
        let hop = Hop {
            base_url: &connection.base_url,
            url: &url,
            is_read,
            followed,
        };
        match (hop.next(response.status(), response.headers()), again) {
            (Ok(Some(target)), Some(mut again)) => {
                tracing::debug!(
                    target: TARGET,
                    status = response.status().as_u16(),
                    to = redirect::place(&target),
                    "redirected"
                );
                *again.url_mut() = target;
                request = again;
                followed += 1;
            }
            (Ok(_), _) => return Ok(response),
            (Err(unfollowed), _) => {
                exchange::note(|seen| seen.unfollowed = Some(unfollowed));
                return Ok(response);
            }
        }
    }
}

fn add_members(request: &mut Request, members: &Map<String, Value>) -> serde_json::Result<()> {
    let Some(body) = request.body().and_then(reqwest::Body::as_bytes) else {
        return Ok(());
    };
    let mut object: Map<String, Value> = serde_json::from_slice(body)?;
    merge(&mut object, members);
    *request.body_mut() = Some(serde_json::to_vec(&object)?.into());
    request.headers_mut().remove(CONTENT_LENGTH);
    Ok(())
}

/// An address may come as plain text. A page of HTML is none.
fn address_as_json(body: Bytes) -> Bytes {
    let text = str::from_utf8(&body).map(str::trim).unwrap_or_default();
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    match is_address && !text.contains(char::is_whitespace) {
        true => Value::from(text).to_string().into(),
        false => body,
    }
}

fn is_empty_object(request: &Request) -> bool {
    request.body().and_then(reqwest::Body::as_bytes) == Some(b"{}")
}

/// Reads the body within its bound, and gives a response that holds it.
async fn bounded(
    connection: &Connection,
    mut response: Response,
    is_address: bool,
) -> reqwest::Result<Response> {
    exchange::note(|seen| {
        seen.status = Some(response.status());
        seen.headers = response.headers().clone();
    });
    let is_error = !response.status().is_success();
    let limit = if is_error {
        MAX_ERROR_BYTES
    } else {
        connection.max_response_bytes
    };
    let mut body = BytesMut::new();
    let failure = loop {
        match response.chunk().await {
            Ok(None) => break None,
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            // What an error response says beyond its bound is not worth a second error.
            Ok(Some(chunk)) if is_error => {
                body.extend_from_slice(&chunk[..limit - body.len()]);
                break None;
            }
            Err(_) if is_error => break None,
            Ok(Some(_)) => {
                exchange::note(|seen| seen.too_large = true);
                let message = format!("the response body is larger than {limit} bytes");
                break Some(std::io::Error::other(message));
            }
            Err(error) => break Some(std::io::Error::other(error)),
        }
    };
    tracing::Span::current().record("http.response.body.size", body.len());
    let (body, failure) = match failure {
        None => match plain(response.headers_mut(), body.freeze(), limit, is_error) {
            Ok(body) => (body, None),
            Err(NotPlain::TooLarge) => {
                exchange::note(|seen| seen.too_large = true);
                let message = format!("the response body is larger than {limit} bytes");
                (Bytes::new(), Some(std::io::Error::other(message)))
            }
            Err(NotPlain::Broken(error)) => (Bytes::new(), Some(error)),
        },
        Some(error) => (Bytes::new(), Some(error)),
    };
    let body = match failure {
        None => {
            if let Some(tap) = &connection.tap {
                tap(&RawResponse {
                    status: response.status(),
                    headers: response.headers().clone(),
                    body: body.clone(),
                });
            }
            let body = match is_address && !is_error {
                true => address_as_json(body),
                false => body,
            };
            reqwest::Body::from(body)
        }
        Some(error) => reqwest::Body::wrap_stream(stream::iter([Err::<Bytes, _>(error)])),
    };
    let mut bounded = http::Response::new(body);
    *bounded.status_mut() = response.status();
    *bounded.headers_mut() = std::mem::take(response.headers_mut());
    let url = response.url().clone();
    let (mut parts, body) = bounded.into_parts();
    if let Ok(with_url) = http::Response::builder().url(url).body(()) {
        parts.extensions = with_url.into_parts().0.extensions;
    }
    Ok(Response::from(http::Response::from_parts(parts, body)))
}
