//! How long a run or batch stays in one state.

use std::time::Duration;

/// How long a run or batch stays in one state.
///
/// A number converts to [`Polls`](Self::Polls), a [`Duration`] to [`For`](Self::For).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// For this many requests for the status of this run or batch.
    Polls(u32),
    /// For this time on the mock server's [`Clock`](crate::Clock).
    For(Duration),
    /// Without end.
    Forever,
}

impl From<u32> for Phase {
    fn from(polls: u32) -> Self {
        Self::Polls(polls)
    }
}

impl From<Duration> for Phase {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}
