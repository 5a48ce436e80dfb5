use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// What a watcher learns, one at a time. The last one is [`Finished`](Event::Finished).
///
/// As JSON it is one object with `event`, `changed`, `trouble`, `recovered` or `finished`; times
/// are in seconds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[schemars(description = "What a watcher learns, one at a time.")]
#[non_exhaustive]
pub enum Event<Change, End> {
    /// Something is different from the last look. The first look counts.
    Changed(Change),
    /// A look failed in a way that may pass; the watch goes on.
    PollFailed(PollFailure),
    /// A look succeeded again.
    PollRecovered {
        /// How long the trouble lasted.
        #[serde(rename = "afterSeconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        after: Duration,
    },
    /// The work has ended.
    Finished(End),
}

/// A look that failed in a way that may pass.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PollFailure {
    /// The failure; as JSON, its text.
    #[serde(serialize_with = "message")]
    #[schemars(with = "String")]
    pub error: checksum_api::Error,
    /// How long every look has failed.
    #[serde(rename = "failingForSeconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub failing_for: Duration,
    /// When the next look is.
    #[serde(rename = "nextPollInSeconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
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

fn message<S: Serializer>(error: &checksum_api::Error, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}
