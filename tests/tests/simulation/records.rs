//! What callers have stored, which survives their crashes, and the history of a simulation.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use checksum_api_ext::ErrorKind;

#[derive(Default)]
pub(crate) struct Records {
    pub(crate) store: Mutex<BTreeMap<usize, Stored>>,
    pub(crate) history: Mutex<Vec<Entry>>,
    pub(crate) requests: Mutex<Vec<Request>>,
    /// In milliseconds and from 1, while no process runs; otherwise 0.
    crashing_at: AtomicU64,
}

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

/// The numbers are those of causes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The process of a caller has begun, for the first time or after a crash.
    Began,
    IntentStored(usize),
    /// The service has named the work.
    Started(usize, String),
    WaitBegan(usize),
    Answered(usize, Answer),
}

#[derive(Debug)]
pub(crate) struct Request {
    /// How many entries of the history came before it.
    pub(crate) position: usize,
    pub(crate) at: Duration,
    pub(crate) caller: usize,
    pub(crate) is_start: bool,
    /// With its query.
    pub(crate) path: String,
    pub(crate) body: String,
    /// When and what; `None` if the simulation ended first.
    pub(crate) received: Option<(Duration, Received)>,
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
    /// Sets the time while a crash drops what a process has, since its clock is gone.
    pub(crate) fn set_crashing(&self, at: Option<Duration>) {
        let at = at.map_or(0, |at| at.as_millis() + 1);
        let at = at.try_into().expect("a short simulation");
        self.crashing_at.store(at, Ordering::Relaxed);
    }

    /// Returns the time since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        match self.crashing_at.load(Ordering::Relaxed) {
            0 => turmoil::sim_elapsed().expect("a simulation"),
            at => Duration::from_millis(at - 1),
        }
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

    /// Returns a line for each request and each other event, in their order.
    pub(crate) fn trace(&self) -> Vec<String> {
        let history = self.history.lock().expect("no panic");
        let requests = self.requests.lock().expect("no panic");
        let lines = (0..=history.len()).flat_map(|position| {
            let sent = requests.iter().filter(move |one| one.position == position);
            let entry = history.get(position).map(|entry| format!("{entry:?}"));
            sent.map(|one| format!("{one:?}")).chain(entry)
        });
        lines.collect()
    }
}

impl Request {
    pub(crate) fn status(&self) -> Option<u16> {
        match self.received {
            Some((_, Received::Response { status, .. })) => Some(status),
            _ => None,
        }
    }

    /// Returns whether it certainly started nothing, so that it may be sent again.
    pub(crate) fn started_nothing(&self) -> bool {
        matches!(self.received, Some((_, Received::NotSent)))
            || matches!(self.status(), Some(307 | 308 | 429))
    }

    pub(crate) fn is_success(&self) -> bool {
        use Received::Response;
        let is_json = matches!(self.received, Some((_, Response { is_json: true, .. })));
        is_json && matches!(self.status(), Some(200..=299))
    }

    pub(crate) fn has_retry_after(&self) -> bool {
        use Received::Response;
        matches!(
            self.received,
            Some((
                _,
                Response {
                    has_retry_after: true,
                    ..
                }
            ))
        )
    }
}
