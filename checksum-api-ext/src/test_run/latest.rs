//! The project's most recent run.

use std::fmt;

use checksum_api::OperationId;
use checksum_api::types::{RunState, TestRunId};
use serde::Serialize;
use serde_json::Value;

use super::TestRun;
use crate::core::Core;
use crate::error::Error;
use crate::lenient::{string, unwrap};

/// The project's most recent run, which need not be the one that the caller started.
///
/// The API's description names the route and does not show its response. This crate decodes an
/// object with `id`, `testRunId` or `runId`, on its own or as `data` or `testRun`, and a bare id.
/// The JSON as it came is kept as `raw`.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LatestTestRun {
    #[serde(skip)]
    core: Core,
    id: TestRunId,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<RunState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    raw: Value,
}

impl LatestTestRun {
    pub(crate) fn decode(core: &Core, raw: Value) -> Result<Self, Error> {
        let found = unwrap(&raw, &["testRun", "run", "latest"]).find_map(|value| {
            let id = match value {
                Value::String(id) => id.trim(),
                _ => string(value, &["testRunId", "id", "runId", "uuid"])?,
            };
            Some((TestRunId::new(id).ok()?, value))
        });
        let Some((id, value)) = found else {
            return Err(Error::unexpected_response(
                OperationId::GetLatestTestRun,
                "no test run's id",
                raw,
            ));
        };
        Ok(Self {
            core: core.clone(),
            id,
            state: string(value, &["status", "state"]).map(RunState::from),
            branch: string(value, &["branch"]).map(str::to_owned),
            raw,
        })
    }

    /// Returns the test run's id, which results and healing need.
    pub fn id(&self) -> &TestRunId {
        &self.id
    }

    /// Returns the run for its results, HTML report and attachments. Nothing is sent.
    pub fn test_run(&self) -> TestRun {
        TestRun::new(&self.core, self.id.clone())
    }

    /// Returns the run's state, if the response has one.
    pub fn state(&self) -> Option<&RunState> {
        self.state.as_ref()
    }

    /// Returns the branch that was tested, if the response has it.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// Returns the response as it came.
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}

impl fmt::Debug for LatestTestRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LatestTestRun")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("branch", &self.branch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decodes_every_likely_form_of_a_test_run_id() {
        for response in [
            json!("run-id"),
            json!({ "id": "run-id", "status": "failed" }),
            json!({ "testRunId": "run-id", "id": 7 }),
            json!({ "data": { "id": "run-id" } }),
            json!({ "testRun": { "testRunId": "run-id" }, "id": null }),
            json!({ "data": { "testRun": { "id": "run-id" } } }),
            json!({ "data": "run-id" }),
        ] {
            let latest =
                LatestTestRun::decode(&Core::for_tests(), response.clone()).expect("a run");
            assert_eq!(latest.id().as_str(), "run-id", "{response}");
            assert_eq!(latest.raw(), &response);
        }
    }

    #[test]
    fn a_response_without_a_run_is_kept_in_the_error() {
        for response in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "id": ".." }),
            json!("a\nb"),
            json!({ "data": null }),
        ] {
            let error =
                LatestTestRun::decode(&Core::for_tests(), response.clone()).expect_err("no run");
            assert_eq!(error.response_body(), Some(&response));
        }
    }
}
