use std::fmt;

use checksum_api_ext::{Contradiction, Counts, Outcome, RunStatus};
use checksum_api_ext::{JobName, RunState, TestRunId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::output::text::one_line;
use crate::redaction;

/// What the command says of a run that it has looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunResult {
    /// Null for a sharded run, which has a test run id alone.
    job_name: Option<JobName>,
    state: RunState,
    /// Null while the run goes on.
    outcome: Option<String>,
    pass: bool,
    counts: Option<Counts>,
    test_run_id: Option<TestRunId>,
    failure_reason: Option<String>,
    /// What in the service's answer contradicts its state.
    contradiction: Option<String>,
    /// What the command ends with.
    exit_code: u8,
    /// What there is to know beside the outcome, in sentences.
    remarks: Vec<String>,
    #[serde(skip)]
    is_without_tests: bool,
}

impl RunResult {
    pub(crate) fn new(
        job_name: Option<&JobName>,
        status: &RunStatus,
        is_strict: bool,
    ) -> (Self, ExitCode) {
        let contradiction = status.contradiction();
        let outcome = match status.outcome() {
            Some(outcome) if outcome.is_success() && is_strict && contradiction.is_some() => {
                Some(Outcome::Failed)
            }
            outcome => outcome,
        };
        let is_without_tests = outcome == Some(Outcome::NoTests);
        let remarks = remarks(status, outcome.as_ref(), contradiction.as_ref());
        if let Some(id) = status.test_run_id() {
            redaction::keep_name(id.as_str());
        }
        let exit_code = outcome
            .as_ref()
            .map_or(ExitCode::StillRunning, ExitCode::from);
        let verdict = Self {
            job_name: job_name.cloned(),
            state: status.state().clone(),
            pass: outcome.as_ref().is_some_and(Outcome::is_success),
            outcome: outcome.map(|outcome| outcome.to_string()),
            counts: status.counts(),
            test_run_id: status.test_run_id().cloned(),
            failure_reason: status.failure_reason().map(str::to_owned),
            contradiction: contradiction.map(|contradiction| contradiction.to_string()),
            exit_code: exit_code as u8,
            remarks,
            is_without_tests,
        };
        (verdict, exit_code)
    }

    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Whether the exit code is not to be understood without the remarks.
    pub(crate) fn needs_remarks(&self) -> bool {
        matches!(self.state, RunState::Unrecognised(_)) || self.is_without_tests
    }
}

fn remarks(
    status: &RunStatus,
    outcome: Option<&Outcome>,
    contradiction: Option<&Contradiction>,
) -> Vec<String> {
    let mut remarks = Vec::new();
    if let (Some(contradiction), Some(outcome)) = (contradiction, outcome) {
        let is_success = status.outcome().is_some_and(|outcome| outcome.is_success());
        let meaning = match (is_success, outcome.is_success()) {
            (false, _) => "it has failed",
            (true, true) => "--strict would fail it",
            (true, false) => "counted as failed",
        };
        remarks.push(one_line(&format!("{contradiction}; {meaning}")));
    }
    match outcome {
        Some(Outcome::NoTests) => remarks.push(
            "no test ran, so that nothing was tested: the selection may match no test; \
             --allow-no-tests lets it pass"
                .to_owned(),
        ),
        Some(Outcome::Unrecognised(state)) => {
            let state = one_line(state);
            remarks.push(format!(
                "this version does not know the state `{state}`, which counts neither as passed nor \
                 as failed; see the run in the dashboard, and look for a newer version"
            ));
        }
        None if !status.is_known_state() => {
            let state = one_line(status.state().as_str());
            remarks.push(format!("this version does not know the state `{state}`"));
        }
        _ => {}
    }
    remarks
}

impl fmt::Display for RunResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.as_str();
        let outcome = one_line(self.outcome.as_deref().unwrap_or(state));
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
        Ok(())
    }
}
