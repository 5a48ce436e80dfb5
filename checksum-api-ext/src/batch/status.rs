//! The status of a batch, and whether it is a success.

use std::collections::HashSet;

use checksum_api::types::{
    self, BatchId, BatchSession, BatchState, Count, SessionId, SessionState, TestRunId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contradiction::Contradiction;
use crate::poll::Event;

/// An event of a wait for a batch.
pub type BatchEvent = Event<BatchStatus, BatchStatus>;

/// The status of a batch, as one poll returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct BatchStatus(pub(crate) types::Batch);

impl BatchStatus {
    /// Known states are recognised in upper and lower case.
    pub(crate) fn read(mut batch: types::Batch) -> Self {
        batch.status = batch.status.ignoring_case();
        for session in &mut batch.sessions {
            session.status = session.status.clone().ignoring_case();
        }
        Self(batch)
    }

    /// Returns the batch's id.
    pub fn id(&self) -> &BatchId {
        &self.0.batch_id
    }

    /// Returns the state, as the service names it.
    pub fn state(&self) -> &BatchState {
        &self.0.status
    }

    /// Returns the sessions. Empty if there is nothing to heal, because every failure is a bug of
    /// the application.
    pub fn sessions(&self) -> &[BatchSession] {
        &self.0.sessions
    }

    /// Returns the pull requests that sessions have opened so far, each once.
    pub fn pull_requests(&self) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::new();
        let urls = self.sessions().iter().filter_map(|s| s.pr_url.as_deref());
        urls.filter(move |url| seen.insert(*url))
    }

    /// Returns the test run that is healed; `None` for generation.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.0.test_run_id.as_ref()
    }

    /// Returns the session with this id.
    pub fn session(&self, id: &SessionId) -> Option<&BatchSession> {
        self.sessions()
            .iter()
            .find(|session| session.session_id == *id)
    }

    /// Returns the sessions that are new, or whose state or pull request differs from the previous
    /// status. Without a previous status, all are new.
    pub fn changed_sessions(&self, previous: Option<&Self>) -> impl Iterator<Item = &BatchSession> {
        self.sessions().iter().filter(move |session| {
            let previous = previous.and_then(|batch| batch.session(&session.session_id));
            previous != Some(session)
        })
    }

    /// Returns whether every session has ended, by the service's own `allTerminal`, which alone
    /// ends a wait.
    pub fn all_terminal(&self) -> bool {
        self.0.all_terminal
    }

    /// Returns whether the batch has ended as completed, every session has completed, and the
    /// totals agree. A batch without sessions is a success: there was nothing to do.
    pub fn is_success(&self) -> bool {
        let is_completed = |one: &BatchSession| one.status == SessionState::Completed;
        self.all_terminal()
            && *self.state() == BatchState::Completed
            && self.sessions().iter().all(is_completed)
            && !self.is_failure()
    }

    /// Returns whether a session has failed, or the batch has ended and not every session has
    /// completed. A batch that has ended in a state that this version does not know is neither a
    /// success nor a failure.
    pub fn is_failure(&self) -> bool {
        let is_failed = |one: &BatchSession| one.status == SessionState::Failed;
        *self.state() == BatchState::Failed
            || count(&self.0.failed_count).is_some_and(|failed| failed > 0)
            || self.sessions().iter().any(is_failed)
            || (self.all_terminal() && self.sessions_left().is_some())
    }

    /// Returns how the response contradicts a state of completed; `None` if it does not.
    pub fn contradiction(&self) -> Option<Contradiction> {
        if *self.state() != BatchState::Completed {
            return None;
        }
        let state = self.state().to_string();
        if let Some((completed, total)) = self.sessions_left() {
            return Some(Contradiction::Sessions {
                state,
                completed,
                total,
            });
        }
        let totals = [
            ("totalSessions", &self.0.total_sessions, self.listed(None)),
            (
                "completedCount",
                &self.0.completed_count,
                self.listed(Some(SessionState::Completed)),
            ),
            (
                "failedCount",
                &self.0.failed_count,
                self.listed(Some(SessionState::Failed)),
            ),
        ];
        totals.into_iter().find_map(|(field, total, listed)| {
            let state = state.clone();
            match total.as_ref()?.read() {
                None => Some(Contradiction::Unreadable {
                    state,
                    field: field.to_owned(),
                }),
                Some(counted) => (*counted != listed).then_some(Contradiction::Total {
                    state,
                    field,
                    counted: *counted,
                    listed,
                }),
            }
        })
    }

    /// Returns how many sessions have completed and how many there are, if some have not.
    fn sessions_left(&self) -> Option<(u64, u64)> {
        let total = count(&self.0.total_sessions).unwrap_or_else(|| self.listed(None));
        let listed = self.listed(Some(SessionState::Completed));
        let completed = count(&self.0.completed_count).unwrap_or(0).max(listed);
        (completed < total).then_some((completed, total))
    }

    /// Returns how many sessions the list has, in that state or in any.
    fn listed(&self, status: Option<SessionState>) -> u64 {
        let is_meant = |one: &&BatchSession| status.as_ref().is_none_or(|s| one.status == *s);
        self.sessions().iter().filter(is_meant).count() as u64
    }

    /// Returns the fields of the response that this version does not know.
    pub fn unknown_fields(&self) -> &Map<String, Value> {
        &self.0.extra
    }
}

/// Returns a total, if it is there and can be read.
fn count(total: &Option<Count>) -> Option<u64> {
    total.as_ref()?.read().copied()
}
