//! The JSON form and the text of a batch's result.

use std::fmt;

use checksum_api_ext::{BatchId, BatchSession, BatchState, BatchStatus, TestRunId};
use schemars::JsonSchema;
use serde::Serialize;

use super::test_run_url::test_run_url;
use crate::exit_code::Verdict;
use crate::output::text::one_line;

/// The result of a batch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchResult {
    batch_id: BatchId,
    state: BatchState,
    /// Whether every session completed. There may be none, if nothing was to be healed.
    is_success: bool,
    test_run_id: Option<TestRunId>,
    /// The page of the healed run in the web app.
    test_run_url: Option<String>,
    sessions: Vec<BatchSession>,
    pull_requests: Vec<String>,
    /// How the service's response contradicts its state.
    contradiction: Option<String>,
    /// The exit code of the command.
    exit_code: u8,
    /// Further information for people, in sentences.
    remarks: Vec<String>,
}

impl BatchResult {
    pub(crate) fn new(status: &BatchStatus, verdict: &Verdict) -> Self {
        Self {
            batch_id: status.id().clone(),
            state: status.state().clone(),
            is_success: verdict.is_success(),
            test_run_id: status.test_run_id().cloned(),
            test_run_url: test_run_url(status.test_run_id()),
            sessions: status.sessions().to_vec(),
            pull_requests: status.pull_requests().map(str::to_owned).collect(),
            contradiction: verdict.contradiction.as_ref().map(ToString::to_string),
            exit_code: verdict.exit_code as u8,
            remarks: verdict.remarks.clone(),
        }
    }

    pub(crate) fn word(&self) -> &str {
        self.state.as_str()
    }

    /// Returns the state, the batch's id, no test run id, the number of sessions, and the pull
    /// requests.
    pub(crate) fn row(&self) -> [String; 5] {
        [
            self.word().to_owned(),
            self.batch_id.to_string(),
            String::new(),
            self.session_count(),
            self.pull_requests.join(" "),
        ]
    }

    pub(crate) fn session_count(&self) -> String {
        match self.sessions.len() {
            0 => "no sessions".to_owned(),
            1 => "1 session".to_owned(),
            count => format!("{count} sessions"),
        }
    }
}

/// Returns a line with the session's id, state and pull request.
pub(crate) fn session(session: &BatchSession) -> String {
    let mut text = format!("{} {}", session.session_id, session.status);
    if let Some(url) = &session.pr_url {
        text = format!("{text}: {url}");
    }
    one_line(&text)
}

impl fmt::Display for BatchResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, state) = (self.batch_id.as_str(), self.state.as_str());
        let count = self.session_count();
        write!(formatter, "{}: {}, {count}", one_line(id), one_line(state))?;
        let mut sessions = self.sessions.iter();
        sessions.try_for_each(|one| write!(formatter, "\n{}", session(one)))
    }
}
