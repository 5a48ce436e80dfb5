//! Starts the runs that are requested, and watches those that go on.

use std::sync::Arc;
use std::time::Duration;

use checksum_api_ext::{Checksum, Event, Handle, StartRun, Started, WatchSet};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::Error;
use crate::store::Store;

/// How often rows are taken over. It also checks that the connection is there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long a step may take: less than the 25 s after which Postgres ends the connection of a machine
/// that is gone, so that no run is watched by two instances.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// When a watch that has failed is begun again.
const WATCH_AGAIN: Duration = Duration::from_secs(60);

/// When the next run is started if the service is not available, unless its response says when.
const START_AGAIN: Duration = Duration::from_secs(10);

/// The longest pause that a response can ask for.
const MAX_PAUSE: Duration = Duration::from_secs(600);

const MAX_STARTS: usize = 8;

pub(crate) struct Worker {
    checksum: Checksum,
    store: Store,
    is_requested: Arc<Notify>,
    starts: JoinSet<Result<Response, Error>>,
    no_start_before: Instant,
    watched: WatchSet,
}

/// What a request to start a run has led to.
enum Response {
    Started(Handle),
    Settled,
    /// The service may accept it after this time.
    Unavailable(Duration),
}

impl Worker {
    pub(crate) fn new(checksum: Checksum, store: Store, is_requested: Arc<Notify>) -> Self {
        Self {
            watched: checksum.watch([]),
            checksum,
            store,
            is_requested,
            starts: JoinSet::new(),
            no_start_before: Instant::now(),
        }
    }

    /// Works until `stopped` has ended and no start is in flight, or until the connection to the
    /// database is lost.
    pub(crate) async fn run(mut self, stopped: impl Future<Output = ()>) -> Result<(), Error> {
        tokio::pin!(stopped);
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch_again = interval(WATCH_AGAIN);
        let mut failed = Vec::new();
        loop {
            tokio::select! {
                () = &mut stopped => break,
                _ = heartbeat.tick() => {
                    for handle in step(self.store.take_over()).await? {
                        self.watched.insert(handle);
                    }
                    self.start_requested().await?;
                }
                () = self.is_requested.notified() => self.start_requested().await?,
                Some(response) = self.starts.join_next() => {
                    match response?? {
                        Response::Started(handle) => {
                            self.watched.insert(handle);
                        }
                        Response::Unavailable(pause) => {
                            self.no_start_before = Instant::now() + pause;
                        }
                        Response::Settled => {}
                    }
                    self.start_requested().await?;
                }
                Some((handle, event)) = self.watched.next() => {
                    let (state, event) = match event {
                        Ok(event @ Event::Finished(_)) => ("finished", json!(event)),
                        Ok(event) => ("running", json!(event)),
                        Err(error) => {
                            failed.push(handle.clone());
                            ("running", json!({"error": error.to_string()}))
                        }
                    };
                    step(self.store.record(&handle, state, &event)).await?;
                }
                _ = watch_again.tick() => for handle in failed.drain(..) {
                    self.watched.insert(handle);
                }
            }
        }
        while let Some(response) = self.starts.join_next().await {
            response??;
        }
        Ok(())
    }

    async fn start_requested(&mut self) -> Result<(), Error> {
        while self.starts.len() < MAX_STARTS && Instant::now() >= self.no_start_before {
            let Some((commit, start)) = step(self.store.claim(&self.checksum)).await? else {
                break;
            };
            self.starts
                .spawn(dispatch(self.store.clone(), commit, start));
        }
        Ok(())
    }
}

/// Runs a step of the state machine. Without it, a database that does not respond would stop the
/// heartbeat too.
async fn step<T>(step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let result = timeout(STEP_TIMEOUT, step).await;
    let result = result.map_err(|_| "no response of the database")?;
    result.map_err(|error| format!("lost the database: {error}").into())
}

/// Starts a run whose intent is stored, and stores the response.
async fn dispatch(store: Store, commit: String, start: StartRun) -> Result<Response, Error> {
    let error = match start.start().await {
        Ok(run) => {
            let handle = Handle::from(&run);
            let stored = store.started(&commit, &handle).await;
            stored.map_err(|error| format!("cannot store that {commit} is {handle}: {error}"))?;
            return Ok(Response::Started(handle));
        }
        Err(error) => error,
    };
    let (state, response) = match error.started() {
        Started::No if error.is_transient() => {
            let pause = error.retry_after().unwrap_or(START_AGAIN);
            ("requested", Response::Unavailable(pause.min(MAX_PAUSE)))
        }
        Started::No => ("rejected", Response::Settled),
        Started::Maybe | Started::Yes => ("may-have-started", Response::Settled),
    };
    let reason = json!({"error": error.to_string()});
    store.not_started(&commit, state, &reason).await?;
    Ok(response)
}
