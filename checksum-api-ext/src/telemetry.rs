//! The target of this crate's `tracing` events, and the spans of starts and waits.

use checksum_api::OperationId;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::error::{Error, Started};

/// The target of the spans and events. It does not change when code moves between modules.
pub(crate) const TARGET: &str = "checksum_api_ext";

/// A span that records how its work ended.
struct Ending {
    span: Span,
    is_recorded: bool,
}

impl Ending {
    fn of(span: Span) -> Self {
        Self {
            span,
            is_recorded: false,
        }
    }

    fn record(&mut self, outcome: &str) {
        self.span.record("checksum.outcome", outcome);
        self.is_recorded = true;
    }

    fn record_error(&mut self, outcome: &str, error: &Error) {
        self.record(outcome);
        self.span
            .record("error.type", tracing::field::debug(error.kind()));
        self.span.record("otel.status_code", "ERROR");
    }
}

/// What is dropped has no other end.
impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_recorded {
            self.record("dropped");
        }
    }
}

/// Starts work in a span. `key` returns the key of its handle.
pub(crate) async fn start<T>(
    operation: OperationId,
    starting: impl Future<Output = Result<T, Error>>,
    key: impl FnOnce(&T) -> String,
) -> Result<T, Error> {
    let span = tracing::debug_span!(
        target: TARGET,
        "checksum.start",
        checksum.operation = operation.as_str(),
        checksum.sends = Empty,
        checksum.handle = Empty,
        checksum.outcome = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    );
    let mut ending = Ending::of(span.clone());
    let started = starting.instrument(span).await;
    match &started {
        Ok(work) => {
            ending.span.record("checksum.handle", key(work));
            ending.record("started");
        }
        Err(error) => ending.record_error(
            match error.started() {
                Started::No => "not-started",
                Started::Maybe | Started::Yes => "may-have-started",
            },
            error,
        ),
    }
    started
}

/// Records how often a start was sent, in the span of the start.
pub(crate) fn record_sends(sends: u32) {
    Span::current().record("checksum.sends", sends);
}

/// The span of a wait, from its first poll to its last event.
pub(crate) struct WaitSpan {
    ending: Ending,
    polls: u32,
    resends: u32,
    has_failed: bool,
}

impl WaitSpan {
    /// Returns `None` if nothing listens: a set has one of these for each work. `key` returns the key
    /// of the work's handle.
    pub(crate) fn new(key: impl FnOnce() -> String) -> Option<Box<Self>> {
        let span = tracing::debug_span!(
            target: TARGET,
            "checksum.wait",
            checksum.handle = Empty,
            checksum.polls = Empty,
            checksum.resends = Empty,
            checksum.outcome = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        if span.is_disabled() {
            return None;
        }
        span.record("checksum.handle", key());
        Some(Box::new(Self {
            ending: Ending::of(span),
            polls: 0,
            resends: 0,
            has_failed: false,
        }))
    }

    pub(crate) fn span(&self) -> Span {
        self.ending.span.clone()
    }

    /// Counts a poll, and returns the span to poll in.
    pub(crate) fn on_poll(&mut self) -> Span {
        self.polls += 1;
        self.resends += u32::from(std::mem::take(&mut self.has_failed));
        self.span()
    }

    /// Notes that the poll failed, so that the next one repeats it.
    pub(crate) fn on_failure(&mut self) {
        self.has_failed = true;
    }

    /// Records the end of the wait.
    pub(crate) fn end(mut self, end: Result<&str, &Error>) {
        match end {
            Ok(outcome) => self.ending.record(outcome),
            Err(error) => self.ending.record_error("error", error),
        }
    }
}

impl Drop for WaitSpan {
    fn drop(&mut self) {
        let span = &self.ending.span;
        span.record("checksum.polls", self.polls);
        span.record("checksum.resends", self.resends);
    }
}
