use std::fmt;

use checksum_api::Meaning;
use checksum_api::types::RunState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the end of a run means for a gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The tests passed, or recovered.
    Passed,
    /// The tests passed after healing.
    Healed,
    /// Tests failed.
    Failed,
    /// The service's infrastructure failed; the tests say nothing.
    ProcessError,
    /// Somebody cancelled the run.
    Cancelled,
    /// The service calls the run passed, and no test ran: all its counts are 0. It is no pass unless
    /// [`ChecksumBuilder::allow_no_tests`](crate::ChecksumBuilder::allow_no_tests) makes it one.
    NoTests,
    /// The run ended in a state that this version does not know. It never counts as a pass.
    Unrecognised(String),
}

impl Outcome {
    /// Whether a gate may open: passed or healed, and nothing else.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Passed | Self::Healed)
    }

    /// What a state means once the run has ended, before anything else takes a pass away.
    pub(super) fn of_state(state: &RunState) -> Self {
        match state.meaning() {
            Some(Meaning::Passed) => Self::Passed,
            Some(Meaning::Healed) => Self::Healed,
            Some(Meaning::Failed) => Self::Failed,
            Some(Meaning::ProcessError) => Self::ProcessError,
            Some(Meaning::Cancelled) => Self::Cancelled,
            // A run that has ended in a state that is none of an end.
            Some(Meaning::Pending | Meaning::Completed) | None => {
                Self::Unrecognised(state.to_string())
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Passed => "passed",
            Self::Healed => "healed",
            Self::Failed => "failed",
            Self::ProcessError => "infrastructure error",
            Self::Cancelled => "cancelled",
            Self::NoTests => "no tests",
            Self::Unrecognised(state) => state,
        })
    }
}
