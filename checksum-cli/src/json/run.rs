//! The JSON form and the text of a run's result.

use std::fmt;

use checksum_api_ext::{Counts, JobName, Outcome, RunState, RunStatus, TestRunId};
use schemars::JsonSchema;
use serde::Serialize;

use super::attachment::Artifacts;
use super::test_run_url::test_run_url;
use crate::exit_code::{ExitCode, Verdict};
use crate::output::text::one_line;

/// The result of a run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunResult {
    /// Null for a sharded run, which has only a test run id.
    job_name: Option<JobName>,
    state: RunState,
    /// Null while the run goes on.
    outcome: Option<Outcome>,
    is_success: bool,
    counts: Option<Counts>,
    test_run_id: Option<TestRunId>,
    /// The run's page in the web app.
    test_run_url: Option<String>,
    failure_reason: Option<String>,
    /// How the service's response contradicts its state.
    contradiction: Option<String>,
    /// The exit code of the command.
    exit_code: u8,
    /// Further information for people, in sentences.
    remarks: Vec<String>,
    /// The downloaded attachments; null without `--artifacts`.
    artifacts: Option<Artifacts>,
}

impl RunResult {
    pub(crate) fn new(job_name: Option<&JobName>, status: &RunStatus, verdict: &Verdict) -> Self {
        Self {
            job_name: job_name.cloned(),
            state: status.state().clone(),
            outcome: verdict.outcome.clone(),
            is_success: verdict.is_success(),
            counts: status.counts(),
            test_run_id: status.test_run_id().cloned(),
            test_run_url: test_run_url(status.test_run_id()),
            failure_reason: status.failure_reason().map(str::to_owned),
            contradiction: verdict.contradiction.as_ref().map(ToString::to_string),
            exit_code: verdict.exit_code as u8,
            remarks: verdict.remarks.clone(),
            artifacts: None,
        }
    }

    /// Returns the result of a command that has written reports and downloaded attachments.
    pub(crate) fn finished(mut self, code: ExitCode, artifacts: Option<Artifacts>) -> Self {
        self.exit_code = code as u8;
        self.artifacts = artifacts;
        self
    }

    /// Returns the outcome or, while the run goes on, its state.
    pub(crate) fn word(&self) -> &str {
        let state = self.state.as_str();
        self.outcome.as_ref().map_or(state, Outcome::as_str)
    }

    pub(crate) fn shown_counts(&self) -> String {
        let counts = self.counts.map(|counts| counts.to_string());
        counts.unwrap_or_default()
    }

    /// Returns the name and the page of a run that has not passed.
    pub(crate) fn link_unless_success(&self) -> Option<String> {
        let url = self.test_run_url.as_ref().filter(|_| !self.is_success)?;
        let name = self.job_name.as_ref().map(JobName::as_str);
        let name = name.or(self.test_run_id.as_ref().map(TestRunId::as_str))?;
        Some(format!("{}: see {}", one_line(name), one_line(url)))
    }

    /// Returns the result, the run's name, its test run id, its counts and the failure reason.
    pub(crate) fn row(&self) -> [String; 5] {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        [
            self.word().to_owned(),
            text(self.job_name.as_ref().map(JobName::as_str)),
            text(self.test_run_id.as_ref().map(TestRunId::as_str)),
            self.shown_counts(),
            text(self.failure_reason.as_deref()),
        ]
    }
}

impl fmt::Display for RunResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = one_line(self.word());
        match &self.job_name {
            Some(job_name) => write!(formatter, "{}: {outcome}", one_line(job_name.as_str()))?,
            None => write!(formatter, "{outcome}")?,
        }
        if let Some(counts) = self.counts {
            write!(formatter, " ({counts})")?;
        }
        if let Some(id) = &self.test_run_id {
            write!(formatter, ", test run {}", one_line(id.as_str()))?;
        }
        if let Some(reason) = &self.failure_reason {
            write!(formatter, ": {}", one_line(reason))?;
        }
        if let Some(url) = &self.test_run_url {
            write!(formatter, "\nsee {}", one_line(url))?;
        }
        Ok(())
    }
}
