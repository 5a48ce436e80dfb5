use std::fmt;

use checksum_api::types::RunState;

use super::{Outcome, RunStatus};

/// A run that the service calls passed or healed, and of which it says something else in the same
/// answer.
///
/// The description's own example does so: `passed` beside two failed tests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disagreement {
    /// Tests are counted as failed.
    FailedTests {
        /// The state that the service gave.
        state: RunState,
        /// How many tests it counts as failed.
        failed: u64,
    },
    /// The verdict is `fail`.
    Verdict {
        /// The state that the service gave.
        state: RunState,
    },
}

impl Disagreement {
    pub(super) fn within(status: &RunStatus) -> Option<Self> {
        let state = status.state();
        if !Outcome::of(state, None).is_pass() {
            return None;
        }
        if !Outcome::of(state, status.verdict()).is_pass() {
            return Some(Self::Verdict {
                state: state.clone(),
            });
        }
        let failed = status.counts()?.failed;
        (failed > 0).then(|| Self::FailedTests {
            state: state.clone(),
            failed,
        })
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedTests { state, failed } => {
                write!(
                    formatter,
                    "the service says {state}, and counts {failed} failed tests"
                )
            }
            Self::Verdict { state } => {
                write!(
                    formatter,
                    "the service says {state}, and its verdict is fail"
                )
            }
        }
    }
}
