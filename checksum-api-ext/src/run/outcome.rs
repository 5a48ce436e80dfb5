//! The outcome of a run.

use std::fmt;

use checksum_api::Meaning;
use checksum_api::types::RunState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The outcome of a run, for a CI job that passes or fails by it. As text and as JSON it is one
/// word, such as `passed` or `process-error`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The tests passed, or recovered.
    Passed,
    /// The tests passed after healing.
    Healed,
    /// Tests failed.
    Failed,
    /// The service's infrastructure failed, so the run says nothing about the tests.
    ProcessError,
    /// Somebody cancelled the run.
    Cancelled,
    /// The state is `passed`, but no test ran: all counts are 0. It is not a success. With
    /// [`ChecksumBuilder::allow_no_tests`](crate::ChecksumBuilder::allow_no_tests) the outcome of
    /// such a run is `Passed`.
    NoTests,
    /// The run ended in a state that this version does not know. It is never a success.
    Unrecognised(String),
}

const KNOWN: [Outcome; 6] = [
    Outcome::Passed,
    Outcome::Healed,
    Outcome::Failed,
    Outcome::ProcessError,
    Outcome::Cancelled,
    Outcome::NoTests,
];

impl Outcome {
    /// Returns whether the run is a success: passed or healed, and nothing else.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Passed | Self::Healed)
    }

    /// Returns the outcome as one word; an unrecognised state as the service spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Passed => "passed",
            Self::Healed => "healed",
            Self::Failed => "failed",
            Self::ProcessError => "process-error",
            Self::Cancelled => "cancelled",
            Self::NoTests => "no-tests",
            Self::Unrecognised(state) => state,
        }
    }

    /// Returns the outcome of a state once the run has ended. Other fields can still turn a success
    /// into a failure.
    pub fn of_state(state: &RunState) -> Self {
        match state.meaning() {
            Some(Meaning::Passed) => Self::Passed,
            Some(Meaning::Healed) => Self::Healed,
            Some(Meaning::Failed) => Self::Failed,
            Some(Meaning::ProcessError) => Self::ProcessError,
            Some(Meaning::Cancelled) => Self::Cancelled,
            // A run has ended in a state that is not terminal.
            Some(Meaning::Pending | Meaning::Completed) | None => {
                Self::Unrecognised(state.to_string())
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = KNOWN.into_iter().find(|outcome| outcome.as_str() == word);
        Ok(known.unwrap_or(Self::Unrecognised(word)))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Outcome {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Outcome".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let known = KNOWN.map(|outcome| outcome.as_str().to_owned());
        schemars::json_schema!({
            "description": "What the end of a run means for a gate.",
            "type": "string",
            "anyOf": [{ "type": "string", "enum": known }, { "type": "string" }],
        })
    }
}
