use std::time::Duration;

use serde_json::{Value, json};

use crate::Phase;
use crate::kept::Work;
use crate::progress::Progress;

/// What becomes of a batch of healing or generation.
///
/// Without more it is pending for one look; then its sessions run side by side and complete one
/// after the other, each at a look, with a pull request where one was asked for.
#[derive(Clone, Debug)]
#[must_use]
pub struct BatchScript {
    pending: Phase,
    session: Phase,
    failing: Failing,
    split: Split,
    opens_pull_requests: bool,
}

/// The sessions that fail.
#[derive(Clone, Debug)]
enum Failing {
    All,
    OfTests(Vec<String>),
}

/// How the failures of a run are shared out among sessions.
#[derive(Clone, Copy, Debug)]
enum Split {
    OneEach,
    OneForAll,
    None,
}

impl Default for BatchScript {
    fn default() -> Self {
        Self {
            pending: Phase::Looks(1),
            session: Phase::Looks(1),
            failing: Failing::OfTests(Vec::new()),
            split: Split::OneEach,
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

    /// How long it takes until the next session ends: a number of looks, or a time on the clock.
    pub fn session(mut self, phase: impl Into<Phase>) -> Self {
        self.session = phase.into();
        self
    }

    /// The sessions that heal these tests fail.
    pub fn fail_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing = Failing::OfTests(tests.into_iter().map(Into::into).collect());
        self
    }

    /// Every session fails.
    pub fn fails_all(mut self) -> Self {
        self.failing = Failing::All;
        self
    }

    /// One session takes on every failure, as has been observed.
    pub fn single_session(mut self) -> Self {
        self.split = Split::OneForAll;
        self
    }

    /// There is nothing to heal, since every failure is held to be a bug of the application: the
    /// batch has no session. It has no bearing on generation.
    pub fn no_sessions(mut self) -> Self {
        self.split = Split::None;
        self
    }

    /// No session ends with a pull request.
    pub fn without_pull_requests(mut self) -> Self {
        self.opens_pull_requests = false;
        self
    }

    /// The tests that each session of a healing batch takes on.
    pub(crate) fn share_out(&self, failed: Vec<String>) -> Vec<Vec<String>> {
        match self.split {
            Split::OneEach => failed.into_iter().map(|test| vec![test]).collect(),
            Split::OneForAll if !failed.is_empty() => vec![failed],
            Split::OneForAll | Split::None => Vec::new(),
        }
    }

    fn is_failing(&self, tests: &[String]) -> bool {
        match &self.failing {
            Failing::All => true,
            Failing::OfTests(failing) => tests.iter().any(|test| failing.contains(test)),
        }
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
struct Session {
    id: String,
    /// The test that it heals, where that is one.
    test_id: Option<String>,
    pr_url: Option<String>,
    fails: bool,
}

/// The ids of a batch that has just started.
pub(crate) struct StartedBatch {
    pub(crate) id: String,
    pub(crate) sessions: Vec<String>,
}

/// What a session is made from.
pub(crate) struct SessionPlan {
    pub(crate) number: u64,
    pub(crate) tests: Vec<String>,
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
            let fails = script.is_failing(&plan.tests);
            let repository = plan
                .repository
                .filter(|_| script.opens_pull_requests && !fails);
            let number = plan.number + 42;
            Session {
                id: format!("sess-{}", plan.number),
                test_id: match <[String; 1]>::try_from(plan.tests) {
                    Ok([test]) => Some(test),
                    Err(_) => None,
                },
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

    pub(crate) fn started(&self) -> StartedBatch {
        StartedBatch {
            id: self.id.clone(),
            sessions: self.sessions.iter().map(|one| one.id.clone()).collect(),
        }
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

impl Work for Batch {
    fn ids(&self) -> Vec<&str> {
        vec![&self.id]
    }

    fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let sessions = self.sessions.iter();
        sessions
            .map(|one| size_of::<Session>() + length(&one.test_id) + length(&one.pr_url))
            .sum()
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}
