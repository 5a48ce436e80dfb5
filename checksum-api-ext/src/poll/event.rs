//! The events of a wait.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::error::Error;

/// An event of a wait for work with status `S` and report `R`. The last one is
/// [`Finished`](Event::Finished).
///
/// As JSON it is one object whose `event` is `changed`, `poll-failed`, `poll-recovered` or
/// `finished`; durations are in seconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "schemars", schemars(description = "An event of a wait."))]
#[non_exhaustive]
pub enum Event<S, R> {
    /// A poll returned another status than the poll before it, or was the first.
    Changed {
        /// The previous status; `None` for the first poll.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<S>,
        /// The current status.
        current: S,
    },
    /// A poll failed in a way that may be temporary. The wait goes on.
    PollFailed(PollFailure),
    /// A poll succeeded after one or more that failed.
    PollRecovered {
        /// How long every poll had failed before.
        #[serde(rename = "afterSeconds", serialize_with = "seconds")]
        #[cfg_attr(feature = "schemars", schemars(with = "f64"))]
        after: Duration,
    },
    /// The work is done.
    Finished(R),
}

/// A poll that failed in a way that may be temporary.
///
/// `Display` prints the error.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PollFailure {
    /// Why the poll failed; as JSON, its text.
    #[serde(serialize_with = "message")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub error: Error,
    /// How long every poll has failed so far.
    #[serde(rename = "failingForSeconds", serialize_with = "seconds")]
    #[cfg_attr(feature = "schemars", schemars(with = "f64"))]
    pub failing_for: Duration,
    /// The time until the next poll.
    #[serde(rename = "nextPollInSeconds", serialize_with = "seconds")]
    #[cfg_attr(feature = "schemars", schemars(with = "f64"))]
    pub next_poll_in: Duration,
}

impl fmt::Display for PollFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn message<S: Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}
