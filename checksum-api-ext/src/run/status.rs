use std::fmt;

use checksum_api::types::{RunState, RunStatus as V1, RunStatusV2 as V2, TestRunId, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ApiVersion, Disagreement, Outcome};

/// What one look at a run saw, whichever version of the API answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    pub(crate) state: RunState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test_run_id: Option<TestRunId>,
    pub(crate) api_version: ApiVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_terminal: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason: Option<String>,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

/// How many tests came to what. A count that an answer leaves out is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that failed first and passed when they were repeated.
    pub recovered: u64,
    /// Tests whose failure is a bug of the application.
    pub bug: u64,
}

impl RunStatus {
    /// The state, as the service names it.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// The counts; `None` until the service reports any, which it does at the end.
    pub fn counts(&self) -> Option<Counts> {
        self.counts
    }

    /// The test run, which results and healing are asked for by.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.test_run_id.as_ref()
    }

    /// The version of the API that answered.
    pub fn api_version(&self) -> ApiVersion {
        self.api_version
    }

    /// The service's own word on the run, where it gives one.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Why the run failed, where the service says so.
    pub fn failure_reason(&self) -> Option<&str> {
        self.failure_reason.as_deref()
    }

    /// The members of the answer that this version does not know.
    pub fn other(&self) -> &Map<String, Value> {
        &self.other
    }

    /// Whether the run has ended.
    ///
    /// The service's own `isTerminal` decides where it is given: a sharded run can say `passed`
    /// before its parts are merged. Otherwise the state decides, and for a state that this version
    /// does not know, whether the answer carries what only the answer at the end carries.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal.unwrap_or_else(|| match &self.state {
            RunState::Queued | RunState::Running => false,
            RunState::Passed
            | RunState::Healed
            | RunState::Failed
            | RunState::ProcessError
            | RunState::Cancelled => true,
            _ => self.counts.is_some() || self.test_run_id.is_some(),
        })
    }

    /// What the end means for a gate; `None` while the run goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.is_terminal()
            .then(|| Outcome::of(&self.state, self.verdict.as_ref()))
    }

    /// What in the answer contradicts a state of passed or healed, if anything. Counts never
    /// overrule the state silently.
    pub fn disagreement(&self) -> Option<Disagreement> {
        Disagreement::within(self)
    }
}

impl Counts {
    fn from_answer(
        passed: Option<u64>,
        failed: Option<u64>,
        recovered: Option<u64>,
        bug: Option<u64>,
    ) -> Option<Self> {
        let counts = [passed, failed, recovered, bug];
        counts.iter().any(Option::is_some).then(|| Self {
            passed: passed.unwrap_or_default(),
            failed: failed.unwrap_or_default(),
            recovered: recovered.unwrap_or_default(),
            bug: bug.unwrap_or_default(),
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} passed, {} failed, {} recovered, {} bug",
            self.passed, self.failed, self.recovered, self.bug
        )
    }
}

impl From<V1> for RunStatus {
    fn from(answer: V1) -> Self {
        Self {
            state: answer.status,
            counts: Counts::from_answer(answer.passed, answer.failed, answer.recovered, answer.bug),
            test_run_id: None,
            api_version: ApiVersion::V1,
            is_terminal: answer.is_terminal,
            verdict: answer.verdict,
            failure_reason: answer.failure_reason,
            other: answer.extra,
        }
    }
}

impl From<V2> for RunStatus {
    fn from(answer: V2) -> Self {
        Self {
            state: answer.status,
            counts: Counts::from_answer(answer.passed, answer.failed, answer.recovered, answer.bug),
            test_run_id: answer.test_run_id,
            api_version: ApiVersion::V2,
            is_terminal: answer.is_terminal,
            verdict: answer.verdict,
            failure_reason: answer.failure_reason,
            other: answer.extra,
        }
    }
}
