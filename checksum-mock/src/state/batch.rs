//! A batch of healing or generation, and the response of its status route.

use serde_json::{Value, json};

use super::store::Stored;
use crate::script::{BatchScript, Phase};

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) id: String,
    /// The run that is healed; `None` for generation.
    test_run_id: Option<String>,
    sessions: Vec<Session>,
    pending: Phase,
    session: Phase,
}

#[derive(Clone, Debug)]
struct Session {
    id: String,
    /// The test that it heals, if it heals exactly one.
    test_id: Option<String>,
    pr_url: Option<String>,
    fails: bool,
}

impl Batch {
    /// Makes a batch with a session for each number and list of tests. `repository` is where its
    /// pull requests are opened, if they are.
    pub(crate) fn new(
        id: String,
        test_run_id: Option<String>,
        sessions: Vec<(u64, Vec<String>)>,
        repository: Option<&str>,
        script: &BatchScript,
    ) -> Self {
        let session = |(number, tests): (u64, Vec<String>)| {
            let fails = script.is_failing(&tests);
            let opens = script.opens_pull_requests && !fails;
            let url = |name| format!("https://github.com/{name}/pull/{}", number + 42);
            Session {
                id: format!("sess-{number}"),
                test_id: <[String; 1]>::try_from(tests).ok().map(|[test]| test),
                pr_url: repository.filter(|_| opens).map(url),
                fails,
            }
        };
        Self {
            id,
            test_run_id,
            sessions: sessions.into_iter().map(session).collect(),
            pending: script.pending,
            session: script.session,
        }
    }

    /// Returns its phases: pending, then one for each session, which ends with it.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        let mut phases = vec![self.pending];
        phases.resize(self.sessions.len() + 1, self.session);
        phases
    }

    pub(crate) fn session_ids(&self) -> Vec<String> {
        self.sessions.iter().map(|one| one.id.clone()).collect()
    }

    /// Returns the response of its status route in this phase.
    pub(crate) fn status_response(&self, phase: usize) -> Value {
        let sessions: Vec<Value> = (2..)
            .zip(&self.sessions)
            .map(|(finished_in, session)| {
                let status = match phase {
                    0 => "pending",
                    _ if phase < finished_in => "running",
                    _ if session.fails => "failed",
                    _ => "completed",
                };
                let pr_url = session.pr_url.as_ref().filter(|_| status == "completed");
                let mut response =
                    json!({ "sessionId": session.id, "status": status, "prUrl": pr_url });
                if let Some(id) = &session.test_id {
                    response["checksumTestId"] = id.clone().into();
                }
                response
            })
            .collect();
        let count = |status: &str| sessions.iter().filter(|s| s["status"] == status).count();
        let (completed, failed) = (count("completed"), count("failed"));
        let is_finished = phase > sessions.len();
        let status = match phase {
            0 => "pending",
            _ if !is_finished => "in_progress",
            _ if failed > 0 => "failed",
            _ => "completed",
        };
        let mut response = json!({
            "batchId": self.id,
            "status": status,
            "totalSessions": sessions.len(),
            "completedCount": completed,
            "failedCount": failed,
            "allTerminal": is_finished,
            "sessions": sessions,
        });
        if let Some(id) = &self.test_run_id {
            response["testRunId"] = id.clone().into();
        }
        response
    }
}

impl Stored for Batch {
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
}
