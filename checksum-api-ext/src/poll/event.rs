use std::fmt;
use std::time::Duration;

/// What a watcher learns, one at a time. The last one is [`Finished`](Event::Finished).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<Change, End> {
    /// Something is different from the last look. The first look counts.
    Changed(Change),
    /// A look failed in a way that may pass; the watch goes on.
    Trouble(Trouble),
    /// A look succeeded again.
    Recovered {
        /// How long the trouble lasted.
        after: Duration,
    },
    /// The work has ended.
    Finished(End),
}

/// A look that failed in a way that may pass.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trouble {
    /// The failure.
    pub error: checksum_api::Error,
    /// How long every look has failed.
    pub lasting: Duration,
    /// When the next look is.
    pub next_look_in: Duration,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}
