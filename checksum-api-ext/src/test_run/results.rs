//! The result of each test of a run.

use checksum_api::types::{self, RunState, TestId, TestResult, TestRunId, TestStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::counts::Counts;

/// A run that has ended, with the result of each test: its status, the error that it failed with,
/// its health, tags and file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "schemars", schemars(inline))]
pub struct TestRunResults(pub(super) types::TestRunResults);

impl TestRunResults {
    /// Returns the test run's id.
    pub fn id(&self) -> &TestRunId {
        &self.0.id
    }

    /// Returns the run's state, as the service names it.
    pub fn state(&self) -> &RunState {
        &self.0.status
    }

    /// Returns the branch that was tested, if the service names it.
    pub fn branch(&self) -> Option<&str> {
        self.0.branch.as_deref()
    }

    /// Returns the counts of the whole run, also if the tests were filtered by a status; `None` if
    /// the response has none.
    pub fn counts(&self) -> Option<Counts> {
        let counts = [self.0.passed, self.0.failed, self.0.recovered, self.0.bug];
        let [passed, failed, recovered, bug] = counts.map(Option::unwrap_or_default);
        counts.iter().any(Option::is_some).then_some(Counts {
            passed,
            failed,
            recovered,
            bug,
        })
    }

    /// Returns the tests, in the order of the response.
    pub fn tests(&self) -> &[TestResult] {
        &self.0.tests
    }

    /// Returns the test with this id.
    pub fn test(&self, id: &TestId) -> Option<&TestResult> {
        self.tests().iter().find(|one| one.checksum_test_id == *id)
    }

    /// Returns the tests with this status, in the order of the response.
    pub fn with_status(&self, status: TestStatus) -> impl Iterator<Item = &TestResult> {
        self.tests().iter().filter(move |one| one.status == status)
    }

    /// Returns the tests that passed at the first attempt.
    pub fn passed(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Passed)
    }

    /// Returns the tests that failed and did not recover.
    pub fn failed(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Failed)
    }

    /// Returns the tests that passed after a first failure.
    pub fn recovered(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Recovered)
    }

    /// Returns the tests whose failure the service attributes to a bug of the application.
    pub fn bugs(&self) -> impl Iterator<Item = &TestResult> {
        self.with_status(TestStatus::Bug)
    }

    /// Returns the fields of the response that this version does not know.
    pub fn unknown_fields(&self) -> &Map<String, Value> {
        &self.0.extra
    }
}
