//! Applies a fault to a request.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http::header::CONTENT_LENGTH;

use super::connection::Connection;
use crate::clock::Clock;
use crate::fault::FaultKind;

/// Returns the response to a request, if it gets one. `handle` is called at most once.
pub(crate) async fn apply(
    fault: FaultKind,
    handle: impl FnOnce() -> Response,
    connection: Connection,
    clock: &Clock,
) -> Response {
    match fault {
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
        FaultKind::Delay(by) => {
            let response = handle();
            clock.sleep(by).await;
            response
        }
        FaultKind::ResetBefore => connection.reset().await,
        FaultKind::ResetAfter => {
            handle();
            connection.reset().await
        }
        FaultKind::Truncate => truncated(handle()).await,
        FaultKind::Hang => std::future::pending().await,
    }
}

async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let length = HeaderValue::from(whole.len());
    parts.headers.insert(CONTENT_LENGTH, length);
    let half = whole.slice(..whole.len() / 2);
    let failure = stream::once(async {
        // Lets the server send the half before the body fails.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("truncated by a fault"))
    });
    let body = stream::iter([Ok(half)]).chain(failure);
    Response::from_parts(parts, Body::from_stream(body))
}
