use std::collections::HashSet;

use checksum_api::types::{
    self, BatchId, BatchSession, BatchStatus, Count, SessionId, SessionStatus, TestRunId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Disagreement, Event};

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
    /// Known states are known in any case.
    pub(crate) fn read(mut batch: types::Batch) -> Self {
        batch.status = batch.status.ignoring_case();
        for session in &mut batch.sessions {
            session.status = session.status.clone().ignoring_case();
        }
        Self(batch)
    }

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

    /// Whether the batch has ended, no session failed, and the totals do not say otherwise. A batch
    /// without sessions is a success: there was nothing to do.
    pub fn is_success(&self) -> bool {
        self.all_terminal()
            && *self.state() != BatchStatus::Failed
            && self.failed_count().unwrap_or_default() == 0
            && self.sessions_left().is_none()
            && self
                .sessions()
                .iter()
                .all(|session| session.status != SessionStatus::Failed)
    }

    /// What in the response contradicts a state of completed, if anything.
    pub fn disagreement(&self) -> Option<Disagreement> {
        if *self.state() != BatchStatus::Completed {
            return None;
        }
        let state = self.state().to_string();
        let totals = [
            ("totalSessions", &self.0.total_sessions),
            ("completedCount", &self.0.completed_count),
            ("failedCount", &self.0.failed_count),
        ];
        let is_unreadable =
            |total: &Option<Count>| total.as_ref().is_some_and(|t| t.read().is_none());
        let unreadable = totals.iter().find(|(_, total)| is_unreadable(total));
        if let Some((completed, total)) = self.sessions_left() {
            return Some(Disagreement::Sessions {
                state,
                completed,
                total,
            });
        }
        if let Some((field, _)) = unreadable {
            return Some(Disagreement::Unreadable { state, field });
        }
        let (counted, listed) = (self.completed_count()?, self.listed_as_completed());
        (counted != listed).then_some(Disagreement::CompletedCount {
            state,
            counted,
            listed,
        })
    }

    fn failed_count(&self) -> Option<u64> {
        self.0.failed_count.as_ref()?.read().copied()
    }

    /// How many sessions have completed and how many there are, where these are not the same.
    fn sessions_left(&self) -> Option<(u64, u64)> {
        let total = self.0.total_sessions.as_ref()?.read().copied()?;
        let completed = self
            .completed_count()
            .unwrap_or(0)
            .max(self.listed_as_completed());
        (completed < total).then_some((completed, total))
    }

    fn completed_count(&self) -> Option<u64> {
        self.0.completed_count.as_ref()?.read().copied()
    }

    fn listed_as_completed(&self) -> u64 {
        let is_completed = |one: &&BatchSession| one.status == SessionStatus::Completed;
        self.sessions().iter().filter(is_completed).count() as u64
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
