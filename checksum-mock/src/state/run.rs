//! A run, and the response of each route to a request for it.

use serde_json::{Value, json};

use super::fixtures;
use super::store::Stored;
use crate::script::{Phase, RunScript, TestScript};

#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// `None` for a sharded run.
    pub(crate) job_name: Option<String>,
    pub(crate) test_run_id: String,
    /// The tests of its report, which lacks those of a lost shard.
    pub(crate) tests: Vec<TestScript>,
    pub(crate) auto_heal: Option<AutoHeal>,
    shards: Option<Shards>,
    script: RunScript,
}

/// The tests that a request selects, and how to run them.
pub(crate) struct RunRequest {
    pub(crate) tests: Vec<TestScript>,
    pub(crate) auto_heal: Option<AutoHeal>,
    pub(crate) shard_count: Option<u64>,
}

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

/// Healing that starts when a run ends `failed`.
#[derive(Clone, Debug)]
pub(crate) struct AutoHeal {
    /// The repository of its pull requests, if it opens any.
    pub(crate) repository: Option<String>,
}

const QUEUED: usize = 0;
const RUNNING: usize = 1;
/// The phase after queued, running and merging.
const FINISHED: usize = 3;
/// The shards of a run that only its script makes sharded.
const DEFAULT_SHARDS: u64 = 2;

impl Run {
    pub(crate) fn new(number: u64, request: RunRequest, mut script: RunScript) -> Self {
        let mut tests = script.tests.take().unwrap_or(request.tests);
        for id in &script.failing_tests {
            match tests.iter_mut().find(|test| test.id == *id) {
                Some(test) => "failed".clone_into(&mut test.status),
                None => tests.push(fixtures::test(id).status("failed")),
            }
        }
        let by_script = script.is_sharded.then_some(DEFAULT_SHARDS);
        let shards = request.shard_count.or(by_script).map(|count| Shards {
            count,
            lost: script.lost_shards.min(count),
        });
        if let Some(Shards { count, lost }) = shards {
            // The shards get the tests in turn, and the first shards are lost.
            let mut next_shard = (0..count).cycle();
            tests.retain(|_| next_shard.next().is_none_or(|shard| shard >= lost));
        }
        Self {
            job_name: match shards {
                None => Some(format!("job-name-{}", 12_344 + number)),
                Some(_) => None,
            },
            test_run_id: format!("00000000-0000-4000-8000-{number:012}"),
            tests,
            auto_heal: request.auto_heal,
            shards,
            script,
        }
    }

    pub(crate) fn phases(&self) -> Vec<Phase> {
        vec![self.script.queued, self.script.running, self.script.merging]
    }

    pub(crate) fn end_state(&self) -> &str {
        &self.script.end_state
    }

    pub(crate) fn failed_tests(&self) -> impl Iterator<Item = &TestScript> {
        self.tests.iter().filter(|test| test.has_failed())
    }

    /// Returns whether this route finds the run by this id.
    pub(crate) fn is_known_to(&self, route: StatusRoute, id: &str) -> bool {
        let version = match route {
            StatusRoute::V1 => "v1",
            StatusRoute::V2 => "v2",
            StatusRoute::ByRunId => return self.test_run_id == id,
        };
        self.job_name.as_deref() == Some(id)
            && self.script.only_version.is_none_or(|only| only == version)
    }

    /// Returns the response to the request that started it.
    pub(crate) fn start_response(&self, is_observed: bool) -> Value {
        let is_sharded = self.shards.is_some();
        let mut response = json!({ "name": self.job_name });
        if is_observed || is_sharded || self.script.shows_observed {
            response["runId"] = self.test_run_id.clone().into();
            response["sharded"] = is_sharded.into();
        }
        response
    }

    /// Returns the response of a status route in this phase.
    pub(crate) fn status_response(&self, route: StatusRoute, phase: usize) -> Value {
        let state = match phase {
            QUEUED => "queued",
            RUNNING => "running",
            // The end state is returned also while reports are merged, as was observed of the live
            // service.
            _ => self.end_state(),
        };
        let mut response = json!({ "status": state });
        if phase > RUNNING && route != StatusRoute::ByRunId {
            self.add_counts(&mut response);
            if route == StatusRoute::V2 {
                response["testRunId"] = self.test_run_id.clone().into();
            }
        }
        if route == StatusRoute::ByRunId || self.script.shows_observed {
            let is_finished = phase == FINISHED;
            let reason = self.failure_reason().filter(|_| is_finished);
            response["isTerminal"] = is_finished.into();
            response["verdict"] = match &reason {
                _ if !is_finished => "pending".into(),
                None => "pass".into(),
                Some(_) => "fail".into(),
            };
            response["failureReason"] = reason.into();
        }
        for (name, value) in &self.script.fields {
            response[name] = value.clone();
        }
        response
    }

    /// Returns what the page shows of it in this phase.
    pub(crate) fn overview(&self, phase: usize) -> Value {
        let mut overview = self.status_response(StatusRoute::V2, phase);
        overview["jobName"] = self.job_name.clone().into();
        overview["testRunId"] = self.test_run_id.clone().into();
        overview["isFinished"] = (phase == FINISHED).into();
        overview
    }

    /// Returns why its end state is not a pass.
    fn failure_reason(&self) -> Option<String> {
        let reason = match (self.end_state(), self.shards) {
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

    /// Returns whether neither its tests nor the script's counts have a test.
    fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.script.counts.values().all(|count| *count == 0)
    }

    /// Returns the fields that the results and the latest run have in common.
    pub(crate) fn summary(&self) -> Value {
        let mut summary = json!({
            "id": self.test_run_id,
            "status": self.end_state(),
            "branch": self.script.branch,
        });
        self.add_counts(&mut summary);
        summary
    }

    fn add_counts(&self, response: &mut Value) {
        // No test finishes if the runner is lost or the run is cancelled.
        let is_aborted = matches!(self.end_state(), "process-error" | "cancelled");
        for name in ["passed", "failed", "recovered", "bug"] {
            let tests = self.tests.iter().filter(|test| test.status == name);
            let counted = if is_aborted { 0 } else { tests.count() as u64 };
            let scripted = self.script.counts.get(name).copied();
            response[name] = scripted.unwrap_or(counted).into();
        }
    }
}

impl Stored for Run {
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
}
