use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::kept::Work;
use crate::progress::Progress;
use crate::{RunScript, TestScript, catalogue};

/// A run, from its start on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) job_name: String,
    pub(crate) test_run_id: String,
    pub(crate) tests: Vec<TestScript>,
    /// What the request's `autoHeal` block asks for, until healing has begun.
    pub(crate) auto_heal: Option<AutoHeal>,
    script: RunScript,
    progress: Progress,
}

/// Healing that follows a run which fails.
#[derive(Clone, Debug)]
pub(crate) struct AutoHeal {
    /// The repository of its pull requests, where it opens any.
    pub(crate) repository: Option<String>,
}

const QUEUED: usize = 0;
const RUNNING: usize = 1;
const COUNTED: [&str; 4] = ["passed", "failed", "recovered", "bug"];

impl Run {
    pub(crate) fn new(
        number: u64,
        selected: Vec<TestScript>,
        auto_heal: Option<AutoHeal>,
        mut script: RunScript,
        now: Duration,
    ) -> Self {
        let mut tests = script.tests.take().unwrap_or(selected);
        for id in &script.failing {
            match tests.iter_mut().find(|test| test.id == *id) {
                Some(test) => test.fail(),
                None => {
                    let mut test = catalogue::test(id);
                    test.fail();
                    tests.push(test);
                }
            }
        }
        Self {
            job_name: format!("job-name-{}", 12_344 + number),
            test_run_id: format!("00000000-0000-4000-8000-{number:012}"),
            tests,
            auto_heal,
            progress: Progress::new(vec![script.queued, script.running], now),
            script,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.progress.is_through()
    }

    pub(crate) fn end(&self) -> &str {
        &self.script.end
    }

    pub(crate) fn is_known_to(&self, version: &str) -> bool {
        self.script.known_to.is_none_or(|known| known == version)
    }

    pub(crate) fn failed_tests(&self) -> impl Iterator<Item = &TestScript> {
        self.tests.iter().filter(|test| test.status == "failed")
    }

    /// The answer to the request that started it.
    pub(crate) fn accepted(&self) -> Value {
        let mut answer = json!({ "name": self.job_name });
        if self.script.is_sharded {
            answer["name"] = Value::Null;
        }
        if self.script.is_sharded || self.script.shows_observed {
            answer["runId"] = self.test_run_id.clone().into();
            answer["sharded"] = self.script.is_sharded.into();
        }
        answer
    }

    /// The answer to a look by one of the status routes.
    pub(crate) fn look(&mut self, version: &str, now: Duration) -> Value {
        let state = match self.progress.look(now) {
            QUEUED => "queued",
            RUNNING => "running",
            _ => self.end(),
        };
        let has_ended = self.has_ended();
        let mut answer = Map::from_iter([("status".to_owned(), state.into())]);
        if has_ended {
            answer.extend(self.counts());
            if version == "v2" {
                answer.insert("testRunId".to_owned(), self.test_run_id.clone().into());
            }
        }
        if self.script.shows_observed {
            let verdict = match (has_ended, self.end()) {
                (false, _) => "pending",
                (true, "passed" | "healed") => "pass",
                (true, _) => "fail",
            };
            answer.insert("isTerminal".to_owned(), has_ended.into());
            answer.insert("verdict".to_owned(), verdict.into());
            let reason = self.failure_reason().filter(|_| has_ended);
            answer.insert("failureReason".to_owned(), reason.into());
        }
        answer.extend(self.script.members.clone());
        answer.into()
    }

    fn failure_reason(&self) -> Option<&'static str> {
        match self.end() {
            "passed" | "healed" => None,
            "failed" => Some("tests failed"),
            "process-error" => Some("the runner was lost"),
            "cancelled" => Some("somebody cancelled the run"),
            _ => Some("the run ended in a state of its own"),
        }
    }

    /// What both the results and the latest run say of it.
    pub(crate) fn summary(&self) -> Map<String, Value> {
        let mut summary = Map::from_iter([
            ("id".to_owned(), self.test_run_id.clone().into()),
            ("status".to_owned(), self.end().into()),
            ("branch".to_owned(), self.script.branch.clone().into()),
        ]);
        summary.extend(self.counts());
        summary
    }

    fn counts(&self) -> impl Iterator<Item = (String, Value)> {
        // Where the infrastructure failed or somebody cancelled, no test came to an end.
        let is_cut_short = matches!(self.end(), "process-error" | "cancelled");
        COUNTED.into_iter().map(move |name| {
            let of_tests = || {
                let tests = self.tests.iter().filter(|test| test.status == name);
                if is_cut_short {
                    0
                } else {
                    tests.count() as u64
                }
            };
            let count = self
                .script
                .counts
                .get(name)
                .copied()
                .unwrap_or_else(of_tests);
            (name.to_owned(), count.into())
        })
    }
}

impl Work for Run {
    fn ids(&self) -> Vec<&str> {
        vec![&self.job_name, &self.test_run_id]
    }

    fn bytes(&self) -> usize {
        let heal = self.auto_heal.as_ref();
        let repository = heal.and_then(|heal| heal.repository.as_ref());
        let tests: usize = self.tests.iter().map(TestScript::bytes).sum();
        tests + repository.map_or(0, String::len)
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}
