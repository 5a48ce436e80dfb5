//! The traits of work that can be polled, and of its status.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::error::Error;

/// Work in the service that is polled until it is done.
pub(crate) trait Pollable: Send + Sync + 'static {
    type Status: Status;
    /// The report of work that is done.
    type Report: Send;

    /// Returns a description for messages, such as `run job-name-12345`.
    fn describe(&self) -> String;

    /// Returns the key of the work's handle, such as `run:job-name-12345`.
    fn key(&self) -> String;

    /// Returns when the work was started, if this is known.
    fn started_at(&self) -> Option<SystemTime>;

    /// Sends one status request.
    fn poll(&self) -> impl Future<Output = Result<Self::Status, Error>> + Send;

    /// Returns whether the work is done, as this wait sees it.
    fn terminal(&self, status: &Self::Status) -> Terminal {
        status.terminal()
    }

    /// Adds to the status what takes further requests: whether work that seems terminal is done, and, if
    /// `is_done`, what only terminal work has, such as the test run id. Returns at the deadline, even if
    /// something is still missing.
    ///
    /// The returned status decides whether the work is done.
    fn complete(
        &self,
        status: Self::Status,
        _is_done: bool,
        _deadline: Option<Instant>,
    ) -> impl Future<Output = Self::Status> + Send {
        async { status }
    }

    /// Returns the report of work that is done.
    fn report(&self, status: Self::Status) -> Self::Report;

    /// Returns how the work ended, as one word.
    fn outcome(report: &Self::Report) -> String;

    /// Returns how long ago the work was started, if this is known.
    fn age(&self) -> Option<Duration> {
        // A start in the future was recorded by a clock that is ahead of this one.
        let age = SystemTime::now().duration_since(self.started_at()?);
        Some(age.unwrap_or_default())
    }
}

/// The status of work, as one poll returns it.
pub(crate) trait Status: Clone + Send + Sync {
    /// The form in which a wait keeps the last status.
    type Kept: Send + Sync;

    fn keep(self) -> Self::Kept;

    /// Returns the status that was kept, without any loss.
    fn restore(kept: Self::Kept) -> Self;

    /// Returns the state as the service names it.
    fn state(&self) -> &str;

    /// Returns whether the work is done.
    fn terminal(&self) -> Terminal;

    /// Returns whether an event should report this status after the previous one.
    fn differs_from(&self, previous: &Self::Kept) -> bool;
}

/// Whether work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terminal {
    No,
    /// This version does not know the state, and the status has fields that only terminal work has.
    Perhaps,
    Yes,
}

impl From<bool> for Terminal {
    fn from(is_terminal: bool) -> Self {
        match is_terminal {
            true => Self::Yes,
            false => Self::No,
        }
    }
}
