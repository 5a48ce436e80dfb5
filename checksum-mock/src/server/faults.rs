//! Applies a fault to a request.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use serde_json::{Map, Value};

use super::connection::{Connection, Takeover};
use crate::clock::Clock;
use crate::fault::{Applied, FaultKind};

/// Returns the response to a request, if it gets one. `handle` is called at most once.
pub(crate) async fn apply(
    fault: Applied,
    handle: impl FnOnce() -> Response,
    connection: Connection,
    clock: &Clock,
) -> Response {
    let mut handle = Some(handle);
    let mut handle = || handle.take().map(|handle| handle()).unwrap_or_default();
    if fault.is_handled && !fault.kind.sends_the_response() {
        handle();
    }
    match fault.kind {
        FaultKind::Respond {
            status,
            headers,
            body,
        } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response
        }
        FaultKind::Raw { bytes, pause } => {
            let clock = clock.clone();
            connection
                .take_over(Takeover::Write {
                    bytes,
                    pause,
                    clock,
                })
                .await
        }
        FaultKind::Fields(fields) => changed(handle(), fields).await,
        FaultKind::Delay(by) => {
            let response = handle();
            clock.sleep(by).await;
            response
        }
        FaultKind::SlowBody(pause) => {
            let clock = clock.clone();
            with_body(handle(), |whole| byte_by_byte(whole, pause, clock)).await
        }
        FaultKind::ResetBeforeReading | FaultKind::Reset => {
            connection.take_over(Takeover::Reset).await
        }
        FaultKind::Cut { at, is_reset } => {
            let cut = |whole| cut(whole, at, is_reset.then_some(connection));
            with_body(handle(), cut).await
        }
        FaultKind::Hang => std::future::pending().await,
    }
}

/// Replaces the body of a response by a stream, whose `content-length` is that of the whole body.
async fn with_body<S>(response: Response, stream: impl FnOnce(Bytes) -> S) -> Response
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let length = HeaderValue::from(whole.len());
    parts.headers.insert(CONTENT_LENGTH, length);
    Response::from_parts(parts, Body::from_stream(stream(whole)))
}

/// Sends a part of the body, and then resets the connection, if there is one, or closes it.
fn cut(
    whole: Bytes,
    at: Option<usize>,
    reset: Option<Connection>,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    let end = at.unwrap_or(whole.len() / 2).min(whole.len());
    let failure = stream::once(async {
        // Lets the server send the part before the body fails.
        tokio::task::yield_now().await;
        if let Some(connection) = reset {
            connection.take_over(Takeover::Reset).await;
        }
        Err(std::io::Error::other("truncated by a fault"))
    });
    stream::iter([Ok(whole.slice(..end))]).chain(failure)
}

fn byte_by_byte(
    whole: Bytes,
    pause: Duration,
    clock: Clock,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::iter(0..whole.len()).then(move |at| {
        let (byte, clock) = (whole.slice(at..=at), clock.clone());
        async move {
            clock.sleep(pause).await;
            Ok(byte)
        }
    })
}

/// Changes the fields of a response whose body is a JSON object.
async fn changed(response: Response, fields: Map<String, Value>) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = match serde_json::from_slice(&body) {
        Ok(Value::Object(mut object)) => {
            merge(&mut object, fields);
            parts.headers.remove(CONTENT_LENGTH);
            Value::from(object).to_string().into()
        }
        _ => body,
    };
    Response::from_parts(parts, Body::from(body))
}

/// Applies a JSON Merge Patch.
fn merge(object: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (object.get_mut(&name), value) {
            (_, Value::Null) => drop(object.remove(&name)),
            (Some(Value::Object(inner)), Value::Object(patch)) => merge(inner, patch),
            (_, value) => drop(object.insert(name, value)),
        }
    }
}
