use std::fmt;

use checksum_api_ext::BatchStatus;
use checksum_api_ext::{BatchId, BatchSession, BatchState, TestRunId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::output::text::one_line;

/// What the command says of a batch that has ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchResult {
    batch_id: BatchId,
    state: BatchState,
    /// Whether every session completed. There may have been none: nothing was to be healed.
    pass: bool,
    test_run_id: Option<TestRunId>,
    sessions: Vec<BatchSession>,
    pull_requests: Vec<String>,
    /// What in the service's answer contradicts its state.
    contradiction: Option<String>,
    /// What the command ends with.
    exit_code: u8,
    /// What there is to know beside the outcome, in sentences.
    remarks: Vec<String>,
}

impl BatchResult {
    pub(crate) fn new(report: &BatchStatus, is_strict: bool) -> (Self, ExitCode) {
        let contradiction = report.contradiction();
        let exit_code = match exit_code(report) {
            ExitCode::Pass if is_strict && contradiction.is_some() => ExitCode::Failed,
            exit_code => exit_code,
        };
        let remarks = contradiction.iter().map(|contradiction| {
            one_line(&match exit_code {
                ExitCode::Pass => format!("{contradiction}; --strict would fail it"),
                ExitCode::Failed => format!("{contradiction}; counted as failed"),
                _ => contradiction.to_string(),
            })
        });
        let remarks = remarks.collect();
        let verdict = Self {
            batch_id: report.id().clone(),
            state: report.state().clone(),
            pass: exit_code == ExitCode::Pass,
            test_run_id: report.test_run_id().cloned(),
            sessions: report.sessions().to_vec(),
            pull_requests: report.pull_requests().map(str::to_owned).collect(),
            contradiction: contradiction.map(|contradiction| contradiction.to_string()),
            exit_code: exit_code as u8,
            remarks,
        };
        (verdict, exit_code)
    }

    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

fn exit_code(report: &BatchStatus) -> ExitCode {
    if report.is_failure() {
        ExitCode::Failed
    } else if report.is_success() {
        ExitCode::Pass
    } else {
        // It has ended in a state that nobody knows.
        ExitCode::Indeterminate
    }
}

/// A session for people: its id, its state and its pull request.
pub(crate) fn session(session: &BatchSession) -> String {
    let mut text = format!("{} {}", session.session_id, session.status);
    if let Some(url) = &session.pr_url {
        text = format!("{text}: {url}");
    }
    one_line(&text)
}

impl fmt::Display for BatchResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.sessions.len();
        let (id, state) = (self.batch_id.as_str(), self.state.as_str());
        write!(formatter, "{}: {}, ", one_line(id), one_line(state))?;
        match count {
            0 => write!(formatter, "no sessions"),
            1 => write!(formatter, "1 session"),
            _ => write!(formatter, "{count} sessions"),
        }?;
        self.sessions
            .iter()
            .try_for_each(|one| write!(formatter, "\n{}", session(one)))
    }
}
