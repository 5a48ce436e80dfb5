use checksum_api::types::{JobName, RunState, TestRunId};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Contradiction, Counts, Outcome, RunStatus};
use crate::{Checksum, Error, Results, StartHealing, TestRun};

/// What is known of a run that has ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    #[serde(skip)]
    pub(crate) client: Checksum,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_name: Option<JobName>,
    #[serde(flatten)]
    pub(crate) status: RunStatus,
}

impl RunReport {
    /// What the end means for a gate. The state decides, a verdict of `fail` takes a pass away, and
    /// so does a run of no tests. Counts never overrule the state silently, see
    /// [`contradiction`](Self::contradiction).
    pub fn outcome(&self) -> Outcome {
        self.status.final_outcome()
    }

    /// As [`outcome`](Self::outcome), but a pass that the same answer contradicts is a failure.
    pub fn strict_outcome(&self) -> Outcome {
        match (self.contradiction(), self.outcome()) {
            (Some(_), outcome) if outcome.is_success() => Outcome::Failed,
            (_, outcome) => outcome,
        }
    }

    /// What in the last answer contradicts a state of passed or healed, if anything.
    pub fn contradiction(&self) -> Option<Contradiction> {
        self.status.contradiction()
    }

    /// The name that the service gave the run. A sharded run has none.
    pub fn job_name(&self) -> Option<&JobName> {
        self.job_name.as_ref()
    }

    /// The state at the end, as the service names it.
    pub fn state(&self) -> &RunState {
        self.status.state()
    }

    /// The counts, where the service gave any.
    pub fn counts(&self) -> Option<Counts> {
        self.status.counts()
    }

    /// The test run, which results and healing are asked for by. It stays unknown where only v1
    /// knows the run.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.status.test_run_id()
    }

    /// The last answer in full.
    pub fn status(&self) -> &RunStatus {
        &self.status
    }

    /// The run, for its results, report and attachments; `None` where its id is not known.
    pub fn test_run(&self) -> Option<TestRun> {
        let id = self.test_run_id()?;
        Some(self.client.test_run(id.clone()))
    }

    /// The result of each test; `None` where the test run's id is not known.
    ///
    /// # Errors
    ///
    /// The request failed.
    pub async fn results(&self) -> Result<Option<Results>, Error> {
        match self.test_run() {
            None => Ok(None),
            Some(test_run) => test_run.results().await.map(Some),
        }
    }

    /// Heals the run's failures; see [`Checksum::heal`]. Not needed where the run was started with
    /// [`AutoHeal`](crate::AutoHeal), which has started it.
    ///
    /// Where the test run's id is not known, starting is refused before a request is sent:
    /// [`InvalidRequest::NoTestRun`](crate::InvalidRequest::NoTestRun).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// let report = checksum.run_suite().start().await?.await?;
    /// assert!(!report.outcome().is_success());
    /// let batch = report.heal().pull_request("acme-co/my-tests".parse()?).start().await?;
    /// let healed = batch.await?;
    /// let pull_requests: Vec<&str> = healed.pull_requests().collect();
    /// assert_eq!(pull_requests, ["https://github.com/acme-co/my-tests/pull/43"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn heal(&self) -> StartHealing {
        StartHealing::new(&self.client, self.test_run_id().cloned())
    }
}
