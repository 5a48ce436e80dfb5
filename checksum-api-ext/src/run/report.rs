use checksum_api::types::{JobName, RunState, TestRunId, TestRunResults};
use serde::Serialize;

use super::{Counts, Disagreement, Outcome, RunStatus};
use crate::{Checksum, Error};

/// What is known of a run that has ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    #[serde(skip)]
    pub(crate) client: Checksum,
    pub(crate) job_name: JobName,
    #[serde(flatten)]
    pub(crate) status: RunStatus,
}

impl RunReport {
    /// What the end means for a gate. The state decides; counts never overrule it silently, see
    /// [`disagreement`](Self::disagreement).
    pub fn outcome(&self) -> Outcome {
        Outcome::of(&self.status.state, self.status.verdict.as_ref())
    }

    /// As [`outcome`](Self::outcome), but a pass that the same answer contradicts is a failure.
    pub fn strict_outcome(&self) -> Outcome {
        match self.disagreement() {
            Some(_) => Outcome::Failed,
            None => self.outcome(),
        }
    }

    /// What in the last answer contradicts a state of passed or healed, if anything.
    pub fn disagreement(&self) -> Option<Disagreement> {
        self.status.disagreement()
    }

    /// The run's name.
    pub fn job_name(&self) -> &JobName {
        &self.job_name
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

    /// The result of each test; `None` where the test run's id is not known.
    ///
    /// # Errors
    ///
    /// The request failed.
    pub async fn results(&self) -> Result<Option<TestRunResults>, Error> {
        match self.test_run_id() {
            None => Ok(None),
            Some(id) => self.client.test_run(id.clone()).results().await.map(Some),
        }
    }
}
