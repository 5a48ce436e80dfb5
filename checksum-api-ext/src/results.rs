use std::future::IntoFuture;
use std::ops::Deref;
use std::pin::Pin;

use checksum_api::types::{TestId, TestResult, TestRunId, TestRunResults, TestStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::{Core, Retry};
use crate::error::Error;

/// A request for results; made by [`TestRun::results`](crate::TestRun::results), and sent when it
/// is awaited.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct GetResults {
    core: Core,
    id: TestRunId,
    status: Option<TestStatus>,
}

impl GetResults {
    pub(crate) fn new(core: &Core, id: &TestRunId) -> Self {
        Self {
            core: core.clone(),
            id: id.clone(),
            status: None,
        }
    }

    /// Only the tests of that status; the service leaves the others out.
    pub fn status(mut self, status: TestStatus) -> Self {
        self.status = Some(status);
        self
    }

    async fn send(self) -> Result<Results, Error> {
        let (id, status) = (&self.id, &self.status);
        let answer = self
            .core
            .read(Retry::ByPolicy, || async {
                let client = self.core.api();
                let request = client.get_test_run_results().id(id);
                match status {
                    None => request.execute().await,
                    Some(status) => request.status(status).execute().await,
                }
            })
            .await?;
        Ok(Results(answer))
    }
}

impl IntoFuture for GetResults {
    type Output = Result<Results, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A run that has ended, with its tests: each with its status, the error that it failed with, its
/// health, tags and file.
///
/// The fields are those of [`TestRunResults`], to which it dereferences. The counts are the
/// service's, for the whole run: a filter for a status does not change them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Results(pub(crate) TestRunResults);

impl Results {
    /// The tests of that status, in the order of the answer.
    pub fn with_status(&self, status: TestStatus) -> impl Iterator<Item = &TestResult> {
        self.0
            .tests
            .iter()
            .filter(move |test| test.status == status)
    }

    /// Tests that passed at the first attempt.
    pub fn passed(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Passed)
    }

    /// Tests that failed and did not recover.
    pub fn failed(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Failed)
    }

    /// Tests that passed after a first failure.
    pub fn recovered(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Recovered)
    }

    /// Tests whose failure is held to be a bug of the application.
    pub fn bugs(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Bug)
    }

    /// A test by its id.
    pub fn test(&self, id: &TestId) -> Option<&TestResult> {
        self.0
            .tests
            .iter()
            .find(|test| test.checksum_test_id == *id)
    }

    /// The answer itself.
    pub fn into_inner(self) -> TestRunResults {
        self.0
    }
}

impl Deref for Results {
    type Target = TestRunResults;

    fn deref(&self) -> &TestRunResults {
        &self.0
    }
}
