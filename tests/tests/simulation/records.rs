//! What callers have stored, which survives their crashes, and the history of a simulation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use checksum_api_ext::ErrorKind;

#[derive(Default)]
pub(crate) struct Records {
    pub(crate) store: Mutex<BTreeMap<usize, Stored>>,
    history: Mutex<Vec<Entry>>,
    /// The time in milliseconds while no process runs, otherwise `RUNNING`.
    crashing_at: AtomicU64,
    requests: AtomicUsize,
}

const RUNNING: u64 = u64::MAX;

/// What a caller has stored of a cause.
#[derive(Clone)]
pub(crate) enum Stored {
    Intent,
    /// A handle as JSON, and when it was stored.
    Handle(String, Duration),
    Answered,
}

/// How a caller has answered a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Outcome(String),
    NotStarted,
    MayHaveStarted,
    /// The wait ended with an error.
    Failed(ErrorKind),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) caller: usize,
    pub(crate) event: Event,
}

/// The numbers are those of a cause, or of a request.
#[derive(Debug)]
pub(crate) enum Event {
    /// The process of a caller has begun, for the first time or after a crash.
    Began,
    IntentStored(usize),
    /// The service has named the work.
    Started(usize, String),
    WaitBegan(usize),
    Answered(usize, Answer),
    Sent {
        request: usize,
        is_start: bool,
        path: String,
        body: String,
    },
    Received(usize, Received),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Response {
        status: u16,
        has_retry_after: bool,
        /// Whether the whole body arrived and is JSON.
        is_json: bool,
    },
    /// There was no connection.
    NotSent,
    Lost,
    /// The client no longer waits.
    Abandoned,
}

impl Records {
    pub(crate) fn new() -> Self {
        let records = Self::default();
        records.set_crashing(None);
        records
    }

    /// Sets the time while a crash drops what a process has, since its clock is gone.
    pub(crate) fn set_crashing(&self, at: Option<Duration>) {
        let at = at.map_or(RUNNING, |at| at.as_millis().try_into().unwrap_or(0));
        self.crashing_at.store(at, Ordering::Relaxed);
    }

    /// Returns the time since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        match self.crashing_at.load(Ordering::Relaxed) {
            RUNNING => turmoil::sim_elapsed().expect("a simulation"),
            at => Duration::from_millis(at),
        }
    }

    /// Returns the number of a new request.
    pub(crate) fn next_request(&self) -> usize {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn add(&self, caller: usize, event: Event) {
        let at = self.now();
        let entry = Entry { at, caller, event };
        self.history.lock().expect("no panic").push(entry);
    }

    pub(crate) fn put(&self, cause: usize, stored: Stored) {
        self.store.lock().expect("no panic").insert(cause, stored);
    }

    pub(crate) fn get(&self, cause: usize) -> Option<Stored> {
        self.store.lock().expect("no panic").get(&cause).cloned()
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.history.lock().expect("no panic")
    }
}
