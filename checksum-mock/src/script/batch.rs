//! How a batch of healing or generation proceeds and ends.

use super::phase::Phase;

/// Describes one batch of healing or generation.
///
/// Default: it is pending for one poll. Then all of its sessions run, and one completes with each
/// poll, with a pull request if the request wants one.
#[derive(Clone, Debug)]
#[must_use]
pub struct BatchScript {
    pub(crate) pending: Phase,
    pub(crate) session: Phase,
    failing: Failing,
    split: Split,
    pub(crate) opens_pull_requests: bool,
}

#[derive(Clone, Debug)]
enum Failing {
    All,
    OfTests(Vec<String>),
}

/// How the failures of a run are split into sessions.
#[derive(Clone, Copy, Debug)]
enum Split {
    OneEach,
    OneForAll,
    None,
}

impl Default for BatchScript {
    fn default() -> Self {
        Self {
            pending: Phase::Polls(1),
            session: Phase::Polls(1),
            failing: Failing::OfTests(Vec::new()),
            split: Split::OneEach,
            opens_pull_requests: true,
        }
    }
}

impl BatchScript {
    /// Describes a batch whose sessions all complete.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the batch is pending: a number of polls, or a time on the clock. Default: 1
    /// poll.
    pub fn pending(mut self, phase: impl Into<Phase>) -> Self {
        self.pending = phase.into();
        self
    }

    /// Sets how long it takes until the next session ends: a number of polls, or a time on the
    /// clock. Default: 1 poll.
    pub fn session(mut self, phase: impl Into<Phase>) -> Self {
        self.session = phase.into();
        self
    }

    /// Makes the sessions that heal these tests fail.
    pub fn fail_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing = Failing::OfTests(tests.into_iter().map(Into::into).collect());
        self
    }

    /// Makes every session fail.
    pub fn fail_all(mut self) -> Self {
        self.failing = Failing::All;
        self
    }

    /// Heals every failure in one session, as was observed of the live service. Default: one
    /// session for each failed test.
    pub fn single_session(mut self) -> Self {
        self.split = Split::OneForAll;
        self
    }

    /// Makes a healing batch that has no session, as if every failure were a bug of the
    /// application. Has no effect on generation.
    pub fn no_sessions(mut self) -> Self {
        self.split = Split::None;
        self
    }

    /// Makes every session end without a pull request.
    pub fn without_pull_requests(mut self) -> Self {
        self.opens_pull_requests = false;
        self
    }

    /// Returns the tests that each session of a healing batch heals.
    pub(crate) fn split_into_sessions(&self, failed: Vec<String>) -> Vec<Vec<String>> {
        match self.split {
            Split::OneEach => failed.into_iter().map(|test| vec![test]).collect(),
            Split::OneForAll if !failed.is_empty() => vec![failed],
            Split::OneForAll | Split::None => Vec::new(),
        }
    }

    /// Returns whether the session that heals these tests fails.
    pub(crate) fn is_failing(&self, tests: &[String]) -> bool {
        match &self.failing {
            Failing::All => true,
            Failing::OfTests(failing) => tests.iter().any(|test| failing.contains(test)),
        }
    }
}
