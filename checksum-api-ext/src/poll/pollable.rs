use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::error::Error;

/// Work that goes on elsewhere and is looked at until it has ended.
pub(crate) trait Pollable: Send {
    /// What a look sees.
    type Status: Clone + Send;
    /// What is different from the last look.
    type Change: Send;
    /// What is known at the end.
    type End: Send;

    /// The work, as in `run job-name-12345`.
    fn name(&self) -> String;

    /// Looks once.
    fn look(&mut self) -> impl Future<Output = Result<Self::Status, Error>> + Send;

    /// Whether the work has ended.
    fn ended(status: &Self::Status) -> Ended;

    /// The state, for a person.
    fn state(status: &Self::Status) -> String;

    /// What is different, in order.
    fn changes(previous: Option<&Self::Status>, current: &Self::Status) -> Vec<Self::Change>;

    /// Learns what only the end makes known, no longer than to the deadline.
    fn end(
        &mut self,
        status: Self::Status,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Self::End> + Send;

    /// When the work was started, where that is known.
    fn started_at(&self) -> Option<SystemTime>;

    /// How long ago the work was started, where that is known.
    fn age(&self) -> Option<Duration> {
        // A start in the future is one by a clock that is ahead of this one.
        let age = SystemTime::now().duration_since(self.started_at()?);
        Some(age.unwrap_or_default())
    }
}

/// What a status tells of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    No,
    /// The state is not known to this version, and the rest looks as at an end.
    Perhaps,
    Yes,
}

impl From<bool> for Ended {
    fn from(has_ended: bool) -> Self {
        match has_ended {
            true => Self::Yes,
            false => Self::No,
        }
    }
}
