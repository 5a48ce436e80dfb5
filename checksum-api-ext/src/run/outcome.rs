use std::fmt;

use checksum_api::types::{RunState, Verdict};
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
    InfrastructureError,
    /// Somebody cancelled the run.
    Cancelled,
    /// The run ended in a state that this version does not know. It never counts as a pass.
    Unrecognised(String),
}

impl Outcome {
    /// Whether a gate may open: passed or healed, and nothing else.
    pub fn is_pass(&self) -> bool {
        matches!(self, Self::Passed | Self::Healed)
    }

    /// What a state means once the run has ended. A verdict of `fail` takes a pass away; no
    /// verdict gives one.
    pub(crate) fn of(state: &RunState, verdict: Option<&Verdict>) -> Self {
        let outcome = match state {
            RunState::Passed => Self::Passed,
            RunState::Healed => Self::Healed,
            RunState::Failed => Self::Failed,
            RunState::ProcessError => Self::InfrastructureError,
            RunState::Cancelled => Self::Cancelled,
            other => Self::Unrecognised(other.to_string()),
        };
        if outcome.is_pass() && verdict == Some(&Verdict::Fail) {
            return Self::Failed;
        }
        outcome
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Passed => "passed",
            Self::Healed => "healed",
            Self::Failed => "failed",
            Self::InfrastructureError => "infrastructure error",
            Self::Cancelled => "cancelled",
            Self::Unrecognised(state) => state,
        })
    }
}
