use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::kept::Work;
use crate::progress::Progress;
use crate::{RunScript, TestScript, catalogue};

/// A run, from its start on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// None for a sharded run.
    pub(crate) job_name: Option<String>,
    pub(crate) test_run_id: String,
    /// The tests of its report: those of a lost shard are not there.
    pub(crate) tests: Vec<TestScript>,
    shards: Option<Shards>,
    /// What the request's `autoHeal` block asks for, until healing has begun.
    pub(crate) auto_heal: Option<AutoHeal>,
    script: RunScript,
    progress: Progress,
}

/// What a request asks to run, and how.
pub(crate) struct RunRequest {
    pub(crate) tests: Vec<TestScript>,
    pub(crate) auto_heal: Option<AutoHeal>,
    pub(crate) shard_count: Option<u64>,
}

/// The parts that a sharded run is split into.
#[derive(Clone, Copy, Debug)]
struct Shards {
    count: u64,
    lost: u64,
}

/// The operations that return the status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusRoute {
    V1,
    V2,
    ByRunId,
}

/// Healing that follows a run which fails.
#[derive(Clone, Debug)]
pub(crate) struct AutoHeal {
    /// The repository of its pull requests, where it opens any.
    pub(crate) repository: Option<String>,
}

const QUEUED: usize = 0;
const RUNNING: usize = 1;
/// The shards of a run that is sharded only by its script.
const DEFAULT_SHARDS: u64 = 2;
const COUNTED: [&str; 4] = ["passed", "failed", "recovered", "bug"];

impl Run {
    pub(crate) fn new(
        number: u64,
        request: RunRequest,
        mut script: RunScript,
        now: Duration,
    ) -> Self {
        let mut tests = script.tests.take().unwrap_or(request.tests);
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
        let by_script = script.is_sharded.then_some(DEFAULT_SHARDS);
        let shards = request.shard_count.or(by_script).map(|count| Shards {
            count,
            lost: script.lost_shards.min(count),
        });
        if let Some(Shards { count, lost }) = shards {
            // The tests go to the shards in turn, and the first shards are lost.
            let mut shard_of_next = (0..count).cycle();
            tests.retain(|_| shard_of_next.next().is_none_or(|shard| shard >= lost));
        }
        Self {
            job_name: match shards {
                None => Some(format!("job-name-{}", 12_344 + number)),
                Some(_) => None,
            },
            test_run_id: format!("00000000-0000-4000-8000-{number:012}"),
            tests,
            shards,
            auto_heal: request.auto_heal,
            progress: Progress::new(vec![script.queued, script.running, script.merging], now),
            script,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.progress.is_through()
    }

    pub(crate) fn end(&self) -> &str {
        &self.script.end
    }

    /// Whether that route knows it by that id.
    pub(crate) fn is_known_to(&self, route: StatusRoute, id: &str) -> bool {
        let version = match route {
            StatusRoute::V1 => "v1",
            StatusRoute::V2 => "v2",
            StatusRoute::ByRunId => return self.test_run_id == id,
        };
        self.job_name.as_deref() == Some(id)
            && self.script.known_to.is_none_or(|known| known == version)
    }

    pub(crate) fn failed_tests(&self) -> impl Iterator<Item = &TestScript> {
        self.tests.iter().filter(|test| test.status == "failed")
    }

    /// The answer to the request that started it.
    pub(crate) fn accepted(&self, is_observed: bool) -> Value {
        let is_sharded = self.shards.is_some();
        let mut answer = json!({ "name": self.job_name });
        if is_observed || is_sharded || self.script.shows_observed {
            answer["runId"] = self.test_run_id.clone().into();
            answer["sharded"] = is_sharded.into();
        }
        answer
    }

    /// The answer to a look by one of the status routes.
    pub(crate) fn look(&mut self, route: StatusRoute, now: Duration) -> Value {
        let phase = self.progress.look(now);
        let state = match phase {
            QUEUED => "queued",
            RUNNING => "running",
            // While the reports of its tests are merged, it looks as if it had ended.
            _ => self.end(),
        };
        let mut answer = Map::from_iter([("status".to_owned(), state.into())]);
        if phase > RUNNING && route != StatusRoute::ByRunId {
            answer.extend(self.counts());
            if route == StatusRoute::V2 {
                answer.insert("testRunId".to_owned(), self.test_run_id.clone().into());
            }
        }
        if route == StatusRoute::ByRunId || self.script.shows_observed {
            answer.extend(self.judgement());
        }
        answer.extend(self.script.members.clone());
        answer.into()
    }

    /// What the service itself makes of the run.
    fn judgement(&self) -> [(String, Value); 3] {
        let has_ended = self.has_ended();
        let reason = self.failure_reason().filter(|_| has_ended);
        let verdict = match &reason {
            _ if !has_ended => "pending",
            None => "pass",
            Some(_) => "fail",
        };
        [
            ("isTerminal".to_owned(), has_ended.into()),
            ("verdict".to_owned(), verdict.into()),
            ("failureReason".to_owned(), reason.into()),
        ]
    }

    /// Why its end is no pass.
    fn failure_reason(&self) -> Option<String> {
        let reason = match (self.end(), self.shards) {
            ("cancelled", _) => "somebody cancelled the run",
            (_, Some(Shards { count, lost })) if lost > 0 => {
                return Some(format!(
                    "{lost}/{count} shards failed; merged report is missing their tests"
                ));
            }
            ("process-error", _) => "the runner was lost",
            ("failed", _) => "tests failed",
            ("passed" | "healed", _) if self.is_empty() => "no test matches the selection",
            ("passed" | "healed", _) => return None,
            _ => "the run ended in a state of its own",
        };
        Some(reason.to_owned())
    }

    /// Whether it has no test, by the script's counts either.
    fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.script.counts.values().all(|count| *count == 0)
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
        let job_name = self.job_name.as_deref();
        job_name.into_iter().chain([&*self.test_run_id]).collect()
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
