//! Contradictions within one response, between its state and the rest of it.

use std::fmt;

/// A contradiction within one response: its state is passed, healed or completed, and another field
/// contradicts the state, or a field that would confirm it is missing.
///
/// The example in the API's description has one: `passed` beside two failed tests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// The response counts failed tests.
    FailedTests {
        /// The state that the service gave.
        state: String,
        /// How many failed tests it counts.
        failed: u64,
    },
    /// The verdict is `fail`. The run is then not a success, whether or not the caller is strict.
    Verdict {
        /// The state that the service gave.
        state: String,
    },
    /// The verdict is neither `pass` nor `fail`.
    NoVerdict {
        /// The state that the service gave.
        state: String,
        /// The verdict in the same response.
        verdict: String,
    },
    /// A field that can turn a pass into a failure is present and cannot be read.
    Unreadable {
        /// The state that the service gave.
        state: String,
        /// The field, as the API spells it.
        field: String,
    },
    /// The service gives a reason for a failure.
    FailureReason {
        /// The state that the service gave.
        state: String,
        /// The reason in the same response.
        reason: String,
    },
    /// The response does not count how many tests passed and failed.
    NoCounts {
        /// The state that the service gave.
        state: String,
    },
    /// The service did not respond to the request to confirm the end of the run.
    Unconfirmed {
        /// The state that the service gave.
        state: String,
    },
    /// Not every session of the batch has completed. The batch is then not a success, whether or
    /// not the caller is strict.
    Sessions {
        /// The state that the service gave.
        state: String,
        /// How many sessions have completed.
        completed: u64,
        /// How many sessions there are.
        total: u64,
    },
    /// A total of the batch differs from its list of sessions.
    Total {
        /// The state that the service gave.
        state: String,
        /// The total, as the API spells it.
        field: &'static str,
        /// How many sessions the total counts.
        counted: u64,
        /// How many of these sessions the list has.
        listed: u64,
    },
}

impl fmt::Display for Contradiction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedTests { state, failed } => write!(
                formatter,
                "the service says {state}, and counts {failed} failed tests"
            ),
            Self::Verdict { state } => write!(
                formatter,
                "the service says {state}, and its verdict is fail"
            ),
            Self::NoVerdict { state, verdict } => write!(
                formatter,
                "the service says {state}, and its verdict is `{verdict}`, which is no pass"
            ),
            Self::Unreadable { state, field } => write!(
                formatter,
                "the service says {state}, and its `{field}` cannot be read"
            ),
            Self::FailureReason { state, reason } => write!(
                formatter,
                "the service says {state}, and gives a reason for a failure: {reason}"
            ),
            Self::NoCounts { state } => write!(
                formatter,
                "the service says {state}, and does not count the tests that passed and failed"
            ),
            Self::Unconfirmed { state } => write!(
                formatter,
                "the service says {state}, and did not respond to the request to confirm this"
            ),
            Self::Sessions {
                state,
                completed,
                total,
            } => write!(
                formatter,
                "the service says {state}, and counts {completed} of {total} sessions as completed"
            ),
            Self::Total {
                state,
                field,
                counted,
                listed,
            } => write!(
                formatter,
                "the service says {state}, and its `{field}` is {counted} where it lists {listed}"
            ),
        }
    }
}
