//! A service that runs the tests of commits, streams their progress, and loses none when it is killed.
//!
//! - `PUT /commits/COMMIT/run` with `{"grep": "checkout"}` asks for a run, once for each commit.
//! - `GET /commits/COMMIT/run` returns its row.
//! - `GET /commits/COMMIT/run/events` streams the row, each time that it changes, as server-sent
//!   events.
//!
//! # The states of a row
//!
//! ```text
//! requested ──► starting ──► running ──► finished
//!     ▲  ▲         │ │ └───► may-have-started
//!     │  └─────────┘ ▼
//!     └────────── rejected
//! ```
//!
//! | state | it means | it is left when |
//! | --- | --- | --- |
//! | `requested` | nothing was sent | one instance claims it, and stores the intent in the same transaction |
//! | `starting` | the request may have been sent | its response is stored by the instance that sent it; no other one sends it |
//! | `running` | the handle is stored | the run is done. A watch that failed is begun again a minute later |
//! | `finished` | the outcome is stored | never |
//! | `may-have-started` | no usable response came, or the instance died before it stored one | never: a person has to look in the dashboard |
//! | `rejected` | the run was certainly not started, and asking again is useless until somebody acts | somebody asks for it again |
//!
//! After a start that certainly did not happen for a reason that may pass (no connection, 429), the
//! row is `requested` again.
//!
//! # Who works on a row
//!
//! Each instance has a number that is never used again, and writes it into the rows that it claims.
//! It lives as long as its database connection: with Postgres, the connection holds an advisory lock
//! on the number; with SQLite, the lock on the file, so that there is one instance. A row whose
//! instance is dead is taken over, by `FOR UPDATE SKIP LOCKED`, so that only one instance gets it.
//!
//! There is no lease, because a lease needs clocks: an instance that is suspended, and wakes after
//! its lease has expired, polls a run that another one polls too. Here it is still the owner, since
//! the lock ends with its process or connection and never by time. Nor does a transaction stay open
//! for as long as a run lasts, which would keep Postgres from vacuuming.
//!
//! All writes go through the connection that holds the lock. An instance that has lost it can write
//! nothing more, notices within seconds, and exits, for its supervisor to start it again.

#![expect(clippy::print_stdout, reason = "its address is its output")]

mod routes;
mod store;
mod worker;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use checksum_api_ext::{Checksum, PollPolicy};
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use self::routes::Service;
use self::store::Store;
use self::worker::Worker;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = async move { terminate.recv().await.unwrap_or_default() };
    let stopped = stopped.boxed().shared();

    let store = Store::connect(&setting("DATABASE_URL", "sqlite:runs.db?mode=rwc")).await?;
    let mut builder = Checksum::builder()
        .api_key_from_env()?
        .base_url_from_env()?
        .user_agent(format!("checksum-service/{}", store.instance()));
    if let Ok(seconds) = env::var("POLL_SECONDS") {
        let interval = Duration::from_secs(seconds.parse()?);
        builder = builder.poll_policy(PollPolicy::fixed(interval));
    }
    let checksum = builder.build()?;

    let listener = TcpListener::bind(setting("LISTEN", "127.0.0.1:8080")).await?;
    let address = listener.local_addr()?;
    println!("http://{address} is instance {}", store.instance());
    let service = Service {
        checksum: checksum.clone(),
        store: store.clone(),
        is_requested: Arc::new(Notify::new()),
        stopped: stopped.clone(),
    };
    let worker = Worker::new(checksum, store, service.is_requested.clone());
    let server = axum::serve(listener, routes::router(service));
    let server = server.with_graceful_shutdown(stopped.clone());
    // When both have ended, the connection closes, and another instance takes the runs over.
    tokio::try_join!(worker.run(stopped), async { Ok(server.await?) })?;
    Ok(())
}
