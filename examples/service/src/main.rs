//! A service that starts test runs, streams what happens to them, and loses none when it is killed.
//!
//! - `PUT /runs/NAME` with `{"grep": "checkout"}` starts a run, once for each name.
//! - `GET /runs/NAME` returns its row.
//! - `GET /runs/NAME/events` streams the row, each time that it changes, as server-sent events.
//!
//! A row gets the intent before the request is sent and the handle once the run is accepted. After a
//! restart, all rows with a handle are watched again. A row that has an intent alone belongs to a
//! start that was cut off: the run may have started, so that it is not started again.

#![expect(clippy::print_stdout, reason = "its address is its output")]

use std::env;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{self, Sse};
use axum::routing::get;
use axum::{Json, Router};
use checksum_api_ext::{
    Checksum, Event, Handle, PollPolicy, StartRun, Started, WatchSet, WatchSetAdder,
};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::SqlitePool;
use tokio::sync::broadcast::{self, error::RecvError};

/// `key` is the text of the handle, which stays the same while the run goes on.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, intent TEXT NOT NULL,
    key TEXT UNIQUE, handle TEXT, event TEXT, is_finished BOOLEAN NOT NULL DEFAULT FALSE)";

const ROW: &str = "SELECT json_object('name', name, 'key', key, 'intent', json(intent),
    'event', json(event), 'isFinished', json(iif(is_finished, 'true', 'false')),
    'mayHaveStarted', json(iif(key IS NULL, 'true', 'false'))) FROM runs WHERE name = ?";

type Error = Box<dyn std::error::Error + Send + Sync>;
type Response<T> = Result<T, (StatusCode, String)>;

#[derive(Clone)]
struct Service {
    checksum: Checksum,
    rows: SqlitePool,
    watched: WatchSetAdder,
    /// The key of each row that changes.
    changes: broadcast::Sender<String>,
}

#[derive(Deserialize)]
struct Request {
    grep: String,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let rows = SqlitePool::connect(&setting("DATABASE_URL", "sqlite:runs.db?mode=rwc")).await?;
    sqlx::query(TABLE).execute(&rows).await?;

    let mut builder = Checksum::builder()
        .api_key_from_env()?
        .base_url_from_env()?;
    if env::var_os("POLL_IMMEDIATELY").is_some() {
        builder = builder.poll_policy(PollPolicy::immediate());
    }
    let checksum = builder.build()?;
    let mut runs = checksum.watch(unfinished(&rows).await?);
    let service = Service {
        checksum,
        rows,
        watched: runs.adder(),
        changes: broadcast::channel(1024).0,
    };
    tokio::spawn(follow(service.clone(), runs));

    let router = Router::new()
        .route("/runs/{name}", get(show).put(start))
        .route("/runs/{name}/events", get(events))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind(setting("LISTEN", "127.0.0.1:8080")).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn unfinished(database: &SqlitePool) -> Result<Vec<Handle>, Error> {
    let query = "SELECT handle FROM runs WHERE handle IS NOT NULL AND NOT is_finished";
    let handles: Vec<String> = sqlx::query_scalar(query).fetch_all(database).await?;
    Ok(handles
        .iter()
        .map(|handle| serde_json::from_str(handle))
        .collect::<Result<_, _>>()?)
}

/// Writes what happens to all runs into their rows.
async fn follow(service: Service, mut runs: WatchSet) {
    while let Some((handle, event)) = runs.next().await {
        let is_finished = matches!(event, Ok(Event::Finished(_)));
        // A run whose watch has failed is watched again after a restart.
        let event = event.map_or_else(|error| json!({"error": error.to_string()}), |e| json!(e));
        let update = sqlx::query("UPDATE runs SET event = ?, is_finished = ? WHERE key = ?")
            .bind(event.to_string())
            .bind(is_finished)
            .bind(handle.to_string())
            .execute(&service.rows);
        update.await.expect("the database is there");
        let _ = service.changes.send(handle.to_string());
    }
}

async fn start(
    State(service): State<Service>,
    Path(name): Path<String>,
    Json(request): Json<Request>,
) -> Response<Json<Value>> {
    let start = service.checksum.run_grep(request.grep);
    let intent = start
        .intent()
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let added = sqlx::query("INSERT INTO runs (name, intent) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(&name)
        .bind(json!(intent).to_string())
        .execute(&service.rows)
        .await
        .map_err(internal)?;
    if added.rows_affected() == 1 {
        // A task of its own: it goes on if the client of this service hangs up.
        let starting = tokio::spawn(dispatch(service.clone(), name.clone(), start));
        starting.await.map_err(internal)??;
    }
    show(State(service), Path(name)).await
}

async fn dispatch(service: Service, name: String, start: StartRun) -> Response<()> {
    let error = match start.start().await {
        Ok(run) => {
            let handle = Handle::from(&run);
            sqlx::query("UPDATE runs SET key = ?, handle = ? WHERE name = ?")
                .bind(handle.to_string())
                .bind(json!(handle).to_string())
                .bind(name)
                .execute(&service.rows)
                .await
                .map_err(internal)?;
            service.watched.insert(handle);
            return Ok(());
        }
        Err(error) => error,
    };
    if matches!(error.started(), Started::No) {
        let delete = sqlx::query("DELETE FROM runs WHERE name = ?").bind(name);
        delete.execute(&service.rows).await.map_err(internal)?;
    }
    Err((StatusCode::BAD_GATEWAY, error.to_string()))
}

async fn show(State(service): State<Service>, Path(name): Path<String>) -> Response<Json<Value>> {
    let row = row(&service, &name).await?;
    Ok(Json(row.ok_or((
        StatusCode::NOT_FOUND,
        format!("no run {name}"),
    ))?))
}

async fn row(service: &Service, name: &str) -> Response<Option<Value>> {
    let row = sqlx::query_scalar::<_, String>(ROW).bind(name);
    let row = row.fetch_optional(&service.rows).await.map_err(internal)?;
    row.map(|row| serde_json::from_str(&row).map_err(internal))
        .transpose()
}

async fn events(
    State(service): State<Service>,
    Path(name): Path<String>,
) -> Sse<impl Stream<Item = Result<sse::Event, axum::Error>>> {
    let changes = service.changes.subscribe();
    let first = (service, name, changes, Value::Null);
    Sse::new(stream::unfold(
        first,
        |(service, name, mut changes, last)| async move {
            if last["isFinished"] == true {
                return None;
            }
            loop {
                let row = row(&service, &name).await.ok()??;
                if row != last {
                    let event = sse::Event::default().json_data(&row);
                    return Some((event, (service, name, changes, row)));
                }
                if matches!(changes.recv().await, Err(RecvError::Closed)) {
                    return None;
                }
            }
        },
    ))
}

fn internal(error: impl std::error::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
