//! The status of a run that goes on, in little memory.

use checksum_api::types::{RunState, TestRunId};

use super::handle::ApiVersion;
use super::status::RunStatus;

/// A status that says no more than that the run goes on, as nearly every poll returns it. A set keeps the
/// last status of each of thousands of runs, and a [`RunStatus`] takes 14 times as much.
#[derive(Clone, Debug)]
pub(crate) struct PlainStatus {
    test_run_id: Option<Box<TestRunId>>,
    is_running: bool,
    api_version: Option<ApiVersion>,
    is_terminal: Option<bool>,
    allows_no_tests: bool,
}

impl PlainStatus {
    /// Returns `None` for a status that says more.
    pub(crate) fn of(status: &RunStatus) -> Option<Self> {
        match status {
            RunStatus {
                state: state @ (RunState::Queued | RunState::Running),
                counts: None,
                test_run_id,
                api_version,
                is_terminal,
                verdict: None,
                failure_reason: None,
                unreadable,
                is_uncounted: true,
                has_no_tests: false,
                is_judged: false,
                is_unconfirmed: false,
                allows_no_tests,
                unknown_fields,
            } if unreadable.is_empty() && unknown_fields.is_empty() => Some(Self {
                test_run_id: test_run_id.clone().map(Box::new),
                is_running: *state == RunState::Running,
                api_version: *api_version,
                is_terminal: *is_terminal,
                allows_no_tests: *allows_no_tests,
            }),
            _ => None,
        }
    }

    pub(crate) fn state(&self) -> RunState {
        match self.is_running {
            true => RunState::Running,
            false => RunState::Queued,
        }
    }
}

impl From<PlainStatus> for RunStatus {
    fn from(plain: PlainStatus) -> Self {
        Self {
            state: plain.state(),
            counts: None,
            test_run_id: plain.test_run_id.map(|id| *id),
            api_version: plain.api_version,
            is_terminal: plain.is_terminal,
            verdict: None,
            failure_reason: None,
            unreadable: Vec::new(),
            is_uncounted: true,
            has_no_tests: false,
            is_judged: false,
            is_unconfirmed: false,
            allows_no_tests: plain.allows_no_tests,
            unknown_fields: serde_json::Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(json: Value) -> RunStatus {
        serde_json::from_value(json).expect("a status")
    }

    #[test]
    fn a_plain_status_is_restored_without_loss() {
        for plain in [
            json!({ "state": "running", "isUncounted": true }),
            json!({ "state": "queued", "isUncounted": true, "apiVersion": "v2", "allowsNoTests": true }),
            json!({ "state": "running", "isUncounted": true, "testRunId": "id", "isTerminal": false }),
        ] {
            let status = status(plain);
            let kept = PlainStatus::of(&status).expect("a plain status");
            assert_eq!(RunStatus::from(kept), status);
        }
    }

    #[test]
    fn a_status_that_says_more_is_not_plain() {
        for more in [
            json!({ "state": "passed", "isUncounted": true }),
            json!({ "state": "new-state", "isUncounted": true }),
            json!({ "state": "running" }),
            json!({ "state": "running", "isUncounted": true, "counts": { "passed": 1, "failed": 0, "recovered": 0, "bug": 0 } }),
            json!({ "state": "running", "isUncounted": true, "verdict": "pass" }),
            json!({ "state": "running", "isUncounted": true, "failureReason": "none" }),
            json!({ "state": "running", "isUncounted": true, "unreadable": ["bug"] }),
            json!({ "state": "running", "isUncounted": true, "hasNoTests": true }),
            json!({ "state": "running", "isUncounted": true, "isJudged": true }),
            json!({ "state": "running", "isUncounted": true, "isUnconfirmed": true }),
            json!({ "state": "running", "isUncounted": true, "progress": 0.5 }),
        ] {
            let status = status(more);
            assert!(PlainStatus::of(&status).is_none(), "{status:?}");
        }
    }
}
