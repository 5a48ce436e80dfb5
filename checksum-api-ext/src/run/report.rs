//! The report of a run that has ended.

use checksum_api::types::{JobName, RunState, TestRunId};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Outcome, RunStatus};
use crate::batch::{HealOptions, StartHealing};
use crate::contradiction::Contradiction;
use crate::core::Core;
use crate::counts::Counts;
use crate::error::Error;
use crate::test_run::{TestRun, TestRunResults};

/// The report of a run that has ended.
///
/// As JSON it is one object with the fields of [`RunStatus`], `jobName`, `outcome` and `isSuccess`.
/// It can be deserialised. Such a report has no client, so that [`test_run`](Self::test_run) and
/// the methods that use it fail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(into = "Json", from = "Json")]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "The report of a run that has ended.")
)]
pub struct RunReport {
    /// `None` if the report was read from JSON.
    core: Option<Core>,
    job_name: Option<JobName>,
    status: RunStatus,
}

/// A report as it is stored.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(
    feature = "schemars",
    schemars(
        rename = "RunReport",
        description = "What is known of a run that has ended."
    )
)]
struct Json {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_name: Option<JobName>,
    outcome: Outcome,
    is_success: bool,
    #[serde(flatten)]
    status: RunStatus,
}

impl RunReport {
    pub(super) fn new(core: &Core, job_name: Option<JobName>, status: RunStatus) -> Self {
        Self {
            core: Some(core.clone()),
            job_name,
            status,
        }
    }

    /// Returns the outcome. The state decides, except that a verdict of `fail`, or a run in which
    /// no test ran, is not a success. Counts do not overrule the state; see
    /// [`contradiction`](Self::contradiction).
    pub fn outcome(&self) -> Outcome {
        self.status.final_outcome()
    }

    /// Returns whether the run passed or was healed.
    pub fn is_success(&self) -> bool {
        self.outcome().is_success()
    }

    /// Returns [`outcome`](Self::outcome), or [`Outcome::Failed`] for a success that the same
    /// response contradicts.
    pub fn strict_outcome(&self) -> Outcome {
        match (self.contradiction(), self.outcome()) {
            (Some(_), outcome) if outcome.is_success() => Outcome::Failed,
            (_, outcome) => outcome,
        }
    }

    /// Returns how the last response contradicts a state of passed or healed; `None` if it does
    /// not.
    pub fn contradiction(&self) -> Option<Contradiction> {
        self.status.contradiction()
    }

    /// Returns the name that the service gave the run. A sharded run has none.
    pub fn job_name(&self) -> Option<&JobName> {
        self.job_name.as_ref()
    }

    /// Returns the state at the end, as the service names it.
    pub fn state(&self) -> &RunState {
        self.status.state()
    }

    /// Returns the counts of tests, if the service gave any.
    pub fn counts(&self) -> Option<Counts> {
        self.status.counts()
    }

    /// Returns the test run's id, which results and healing need. It stays unknown for a run that
    /// only the v1 routes know.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.status.test_run_id()
    }

    /// Returns the address of the run's page in the web app, as [`TestRun::web_url`] does; `None`
    /// if the test run's id is not known.
    pub fn web_url(&self) -> Option<Url> {
        TestRun::web_url_of(self.test_run_id()?)
    }

    /// Returns the last status in full.
    pub fn status(&self) -> &RunStatus {
        &self.status
    }

    /// Returns the run for its results, HTML report and attachments. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the run's test run id is
    /// not known, or the report was read from JSON and has no client. Use
    /// [`Checksum::test_run`](crate::Checksum::test_run) for the latter.
    pub fn test_run(&self) -> Result<TestRun, Error> {
        let id = self.test_run_id().ok_or_else(|| {
            Error::invalid_request(
                "the run's test run id is not known; results, attachments and healing need it",
            )
        })?;
        let core = self.core.as_ref().ok_or_else(|| {
            Error::invalid_request("a report that was read from JSON has no client")
        })?;
        Ok(TestRun::new(core, id.clone()))
    }

    /// Returns the result of each test.
    ///
    /// # Errors
    ///
    /// As for [`test_run`](Self::test_run), or the request failed.
    pub async fn results(&self) -> Result<TestRunResults, Error> {
        self.test_run()?.results().await
    }

    /// Prepares healing of the run's failures; see [`Checksum::heal`](crate::Checksum::heal). A run
    /// that was started with [`StartRun::auto_heal`](crate::StartRun::auto_heal) does not need it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// use checksum_api_ext::HealOptions;
    ///
    /// let report = checksum.run_suite().start().await?.await?;
    /// assert!(!report.is_success());
    /// let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?);
    /// let healed = report.heal(options)?.start().await?.await?;
    /// let pull_requests: Vec<&str> = healed.pull_requests().collect();
    /// assert_eq!(pull_requests, ["https://github.com/acme-co/my-tests/pull/43"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`test_run`](Self::test_run).
    pub fn heal(&self, options: HealOptions) -> Result<StartHealing, Error> {
        Ok(self.test_run()?.heal(options))
    }
}

impl From<RunReport> for Json {
    fn from(report: RunReport) -> Self {
        Self {
            outcome: report.outcome(),
            is_success: report.is_success(),
            job_name: report.job_name,
            status: report.status,
        }
    }
}

impl From<Json> for RunReport {
    fn from(json: Json) -> Self {
        Self {
            core: None,
            job_name: json.job_name,
            status: json.status,
        }
    }
}
