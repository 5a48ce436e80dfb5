use std::time::Duration;

use serde_json::{Value, json};

use crate::Phase;
use crate::progress::Progress;

/// What becomes of a batch of healing or generation.
///
/// Without more it is pending for one look, and then one session after the other completes, each
/// at a look, with a pull request where one was asked for.
#[derive(Clone, Debug)]
#[must_use]
pub struct BatchScript {
    pending: Phase,
    session: Phase,
    failing: Vec<String>,
    pub(crate) has_one_session: bool,
    opens_pull_requests: bool,
}

impl Default for BatchScript {
    fn default() -> Self {
        Self {
            pending: Phase::Looks(1),
            session: Phase::Looks(1),
            failing: Vec::new(),
            has_one_session: false,
            opens_pull_requests: true,
        }
    }
}

impl BatchScript {
    /// A batch whose every session completes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the batch is pending: a number of looks, or a time on the clock.
    pub fn pending(mut self, phase: impl Into<Phase>) -> Self {
        self.pending = phase.into();
        self
    }

    /// How long it takes until the next session ends.
    pub fn session(mut self, phase: impl Into<Phase>) -> Self {
        self.session = phase.into();
        self
    }

    /// The sessions of these tests fail; for generation, which has none, `""` stands for its one.
    pub fn fails<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing = tests.into_iter().map(Into::into).collect();
        self
    }

    /// One session takes on every test.
    pub fn one_session(mut self) -> Self {
        self.has_one_session = true;
        self
    }

    /// No session ends with a pull request.
    pub fn without_pull_requests(mut self) -> Self {
        self.opens_pull_requests = false;
        self
    }
}

/// A batch, from its start on.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) id: String,
    /// The run that is healed; none for generation.
    test_run_id: Option<String>,
    sessions: Vec<Session>,
    progress: Progress,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) test_id: Option<String>,
    pr_url: Option<String>,
    fails: bool,
}

/// What a session is made from.
pub(crate) struct SessionPlan {
    pub(crate) number: u64,
    pub(crate) test_id: Option<String>,
    /// The repository of its pull request, where it opens one.
    pub(crate) repository: Option<String>,
}

impl Batch {
    pub(crate) fn new(
        id: String,
        test_run_id: Option<String>,
        plans: Vec<SessionPlan>,
        script: &BatchScript,
        now: Duration,
    ) -> Self {
        let session = |plan: SessionPlan| {
            let fails = script
                .failing
                .iter()
                .any(|id| id == plan.test_id.as_deref().unwrap_or(""));
            let repository = plan
                .repository
                .filter(|_| script.opens_pull_requests && !fails);
            let number = plan.number + 42;
            Session {
                id: format!("sess-{}", plan.number),
                test_id: plan.test_id,
                pr_url: repository.map(|name| format!("https://github.com/{name}/pull/{number}")),
                fails,
            }
        };
        let sessions: Vec<Session> = plans.into_iter().map(session).collect();
        let mut phases = vec![script.pending];
        phases.resize(sessions.len() + 1, script.session);
        Self {
            id,
            test_run_id,
            progress: Progress::new(phases, now),
            sessions,
        }
    }

    pub(crate) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// The answer to a look.
    pub(crate) fn look(&mut self, now: Duration) -> Value {
        let phase = self.progress.look(now);
        let ended = phase.saturating_sub(1);
        let sessions: Vec<Value> = (0..)
            .zip(&self.sessions)
            .map(|(index, session)| {
                let status = match (phase, index < ended) {
                    (0, _) => "pending",
                    (_, false) => "running",
                    (_, true) if session.fails => "failed",
                    (_, true) => "completed",
                };
                let pr_url = session.pr_url.as_ref().filter(|_| status == "completed");
                let mut answer =
                    json!({ "sessionId": session.id, "status": status, "prUrl": pr_url });
                if let Some(id) = &session.test_id {
                    answer["checksumTestId"] = id.clone().into();
                }
                answer
            })
            .collect();
        let with_status = |status: &str| sessions.iter().filter(|s| s["status"] == status).count();
        let failed = with_status("failed");
        let all_terminal = self.progress.is_through();
        let status = match (phase, all_terminal) {
            (0, _) => "pending",
            (_, false) => "in_progress",
            (_, true) if failed > 0 => "failed",
            (_, true) => "completed",
        };
        let mut answer = json!({
            "batchId": self.id,
            "status": status,
            "totalSessions": sessions.len(),
            "completedCount": with_status("completed"),
            "failedCount": failed,
            "allTerminal": all_terminal,
            "sessions": sessions,
        });
        if let Some(id) = &self.test_run_id {
            answer["testRunId"] = id.clone().into();
        }
        answer
    }
}
