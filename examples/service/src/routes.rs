//! The HTTP routes. They read and write rows, and start nothing themselves.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::routing::get;
use axum::{Json, Router};
use checksum_api_ext::Checksum;
use futures_util::future::{BoxFuture, Shared};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::Notify;

use crate::store::{Request, Row, Store};

/// How often an open stream reads its row: whichever instance serves the stream, another one may
/// write the row.
const STREAM_INTERVAL: Duration = Duration::from_millis(500);

type Response<T> = Result<T, (StatusCode, String)>;

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) checksum: Checksum,
    pub(crate) store: Store,
    /// Wakes the worker.
    pub(crate) is_requested: Arc<Notify>,
    /// Ends when the service is to stop.
    pub(crate) stopped: Shared<BoxFuture<'static, ()>>,
}

pub(crate) fn router(service: Service) -> Router {
    Router::new()
        .route("/commits/{commit}/run", get(show).put(request))
        .route("/commits/{commit}/run/events", get(events))
        .with_state(service)
}

/// Returns 202 and the row, whether it is new or not.
async fn request(
    State(service): State<Service>,
    Path(commit): Path<String>,
    Json(request): Json<Request>,
) -> Response<(StatusCode, Json<Row>)> {
    request
        .start(&service.checksum, &commit)
        .intent()
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let added = service.store.request(&commit, &request).await;
    added.map_err(internal)?;
    service.is_requested.notify_one();
    let row = row(&service, &commit).await?;
    if row.request != request {
        let message = format!("commit {commit} was requested with other settings");
        return Err((StatusCode::CONFLICT, message));
    }
    Ok((StatusCode::ACCEPTED, Json(row)))
}

async fn show(State(service): State<Service>, Path(commit): Path<String>) -> Response<Json<Row>> {
    row(&service, &commit).await.map(Json)
}

/// Streams the row, under the name of its state, until nothing more can happen to it or the service
/// stops.
async fn events(
    State(service): State<Service>,
    Path(commit): Path<String>,
) -> Response<Sse<impl Stream<Item = Result<sse::Event, axum::Error>>>> {
    let first = row(&service, &commit).await?;
    let stopped = service.stopped.clone();
    let changes = stream::unfold(first.clone(), move |last| {
        let (service, commit) = (service.clone(), commit.clone());
        async move {
            if last.is_settled() {
                return None;
            }
            loop {
                tokio::time::sleep(STREAM_INTERVAL).await;
                let row = row(&service, &commit).await.ok()?;
                if row != last {
                    return Some((row.clone(), row));
                }
            }
        }
    });
    let rows = stream::iter([first]).chain(changes);
    let events = rows.map(|row| sse::Event::default().event(&row.state).json_data(&row));
    Ok(Sse::new(events.take_until(stopped)).keep_alive(KeepAlive::default()))
}

async fn row(service: &Service, commit: &str) -> Response<Row> {
    let row = service.store.row(commit).await.map_err(internal)?;
    row.ok_or_else(|| (StatusCode::NOT_FOUND, format!("no run of commit {commit}")))
}

fn internal(error: crate::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
