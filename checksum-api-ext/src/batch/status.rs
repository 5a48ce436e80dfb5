use std::collections::HashSet;

use checksum_api::types::{self, BatchId, BatchSession, BatchStatus, SessionId, TestRunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Event;

/// What happens to a batch while it is watched.
pub type BatchEvent = Event<BatchChange, BatchReport>;

/// What one look at a batch saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BatchReport(pub(crate) types::Batch);

/// Something about a batch that is different from the last look.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BatchChange {
    /// The batch is in another state.
    State {
        /// The state before; `None` at the first look.
        previous: Option<BatchStatus>,
        /// The state now.
        current: BatchStatus,
    },
    /// A session appeared, is in another state, or has a pull request.
    Session(BatchSession),
}

impl BatchReport {
    /// The batch's id.
    pub fn id(&self) -> &BatchId {
        &self.0.batch_id
    }

    /// The state, as the service names it.
    pub fn state(&self) -> &BatchStatus {
        &self.0.status
    }

    /// The sessions. A batch may have none: where every failure is a bug of the application, there
    /// is nothing to heal.
    pub fn sessions(&self) -> &[BatchSession] {
        &self.0.sessions
    }

    /// The pull requests that sessions have opened so far, each once. There may be none for good:
    /// where every failure is a bug of the application, there is nothing to heal.
    pub fn pull_requests(&self) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::new();
        let urls = self.sessions().iter().filter_map(|s| s.pr_url.as_deref());
        urls.filter(move |url| seen.insert(*url))
    }

    /// The test run that is being healed; `None` for generation.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.0.test_run_id.as_ref()
    }

    /// A session by its id.
    pub fn session(&self, id: &SessionId) -> Option<&BatchSession> {
        self.sessions()
            .iter()
            .find(|session| session.session_id == *id)
    }

    /// Whether every session has ended: the service's own word, which alone ends a wait.
    pub fn all_terminal(&self) -> bool {
        self.0.all_terminal
    }

    /// Whether the batch has ended and no session failed.
    pub fn is_success(&self) -> bool {
        self.all_terminal()
            && *self.state() != BatchStatus::Failed
            && self.0.failed_count.unwrap_or_default() == 0
            && self
                .sessions()
                .iter()
                .all(|session| session.status.as_str() != "failed")
    }

    /// The members of the answer that this version does not know.
    pub fn other(&self) -> &Map<String, Value> {
        &self.0.extra
    }
}

impl BatchChange {
    pub(crate) fn between(previous: Option<&BatchReport>, current: &BatchReport) -> Vec<Self> {
        let state_before = previous.map(BatchReport::state);
        let state = (state_before != Some(current.state())).then(|| Self::State {
            previous: state_before.cloned(),
            current: current.state().clone(),
        });
        let sessions = current.sessions().iter().filter(|session| {
            previous.and_then(|batch| batch.session(&session.session_id)) != Some(session)
        });
        state
            .into_iter()
            .chain(sessions.cloned().map(Self::Session))
            .collect()
    }
}
