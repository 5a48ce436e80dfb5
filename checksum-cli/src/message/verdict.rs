use std::fmt;

use checksum_api_ext::types::{JobName, RunState, TestRunId};
use checksum_api_ext::{Counts, Outcome, RunStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::output::one_line;

/// What the command says of a run that it has looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    job_name: JobName,
    state: RunState,
    /// Null while the run goes on.
    outcome: Option<String>,
    pass: bool,
    counts: Option<Counts>,
    test_run_id: Option<TestRunId>,
    failure_reason: Option<String>,
    /// What in the service's answer contradicts its state.
    disagreement: Option<String>,
    /// What the command ends with.
    exit_code: u8,
}

impl Verdict {
    pub(crate) fn new(job_name: &JobName, status: &RunStatus, is_strict: bool) -> (Self, ExitCode) {
        let disagreement = status.disagreement();
        let outcome = match status.outcome() {
            Some(_) if is_strict && disagreement.is_some() => Some(Outcome::Failed),
            outcome => outcome,
        };
        let exit_code = outcome
            .as_ref()
            .map_or(ExitCode::Unfinished, ExitCode::from);
        let verdict = Self {
            job_name: job_name.clone(),
            state: status.state().clone(),
            pass: outcome.as_ref().is_some_and(Outcome::is_pass),
            outcome: outcome.map(|outcome| outcome.to_string()),
            counts: status.counts(),
            test_run_id: status.test_run_id().cloned(),
            failure_reason: status.failure_reason().map(str::to_owned),
            disagreement: disagreement.map(|disagreement| disagreement.to_string()),
            exit_code: exit_code as u8,
        };
        (verdict, exit_code)
    }

    pub(crate) fn disagreement(&self) -> Option<&str> {
        self.disagreement.as_deref()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.as_str();
        write!(
            formatter,
            "{}: {}",
            one_line(self.job_name.as_str()),
            one_line(self.outcome.as_deref().unwrap_or(state))
        )?;
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
