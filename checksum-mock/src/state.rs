use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::RunScript;
use crate::batch::{Batch, BatchScript, SessionPlan, StartedBatch};
use crate::catalogue::TESTS_REPOSITORY;
use crate::kept::{Kept, Limit};
use crate::run::{Run, RunRequest, StatusRoute};

/// Everything that the service knows.
#[derive(Debug)]
pub(crate) struct State {
    default_run: RunScript,
    failing_tests: Vec<String>,
    /// Whether what is merely observed is served.
    pub(crate) is_observed: bool,
    /// The tests that a change affects, where a script says so.
    pub(crate) affected: Option<Vec<String>>,
    pub(crate) next_runs: VecDeque<RunScript>,
    pub(crate) next_heals: VecDeque<BatchScript>,
    pub(crate) next_generations: VecDeque<BatchScript>,
    runs: Kept<Run>,
    heals: Kept<Batch>,
    generations: Kept<Batch>,
    sessions: u64,
}

impl State {
    pub(crate) fn new(
        default_run: RunScript,
        failing_tests: Vec<String>,
        is_observed: bool,
        limit: Limit,
    ) -> Self {
        Self {
            default_run,
            failing_tests,
            is_observed,
            affected: None,
            next_runs: VecDeque::new(),
            next_heals: VecDeque::new(),
            next_generations: VecDeque::new(),
            runs: Kept::new(limit),
            heals: Kept::new(limit),
            generations: Kept::new(limit),
            sessions: 0,
        }
    }

    /// Starts a run. Returns the response to the request for it.
    pub(crate) fn start_run(&mut self, request: RunRequest, now: Duration) -> Value {
        let next = self.next_runs.pop_front();
        let script = next.unwrap_or_else(|| {
            let tests = request.tests.iter().map(|test| &test.id);
            let broken = tests.filter(|id| self.failing_tests.contains(id));
            self.default_run.clone().breaks(broken.cloned().collect())
        });
        let run = Run::new(self.runs.next_number(), request, script, now);
        let accepted = run.accepted(self.is_observed);
        let number = self.runs.push(run);
        self.settle_run(number, now);
        accepted
    }

    /// The answer to a look at a run by one of the status routes, if that route knows the run by
    /// that id.
    pub(crate) fn look_at_run(
        &mut self,
        id: &str,
        route: StatusRoute,
        now: Duration,
    ) -> Option<Value> {
        let number = self.runs.number_of(id)?;
        let run = self.runs.get_mut(number)?;
        if !run.is_known_to(route, id) {
            return None;
        }
        let answer = run.look(route, now);
        // The look may have been the last of its phase.
        self.settle_run(number, now);
        Some(answer)
    }

    pub(crate) fn is_job(&self, name: &str) -> bool {
        let number = self.runs.number_of(name);
        let run = number.and_then(|number| self.runs.get(number));
        run.is_some_and(|run| run.job_name.as_deref() == Some(name))
    }

    /// The run of a test run's id, once it has ended.
    pub(crate) fn ended_run(&self, test_run_id: &str) -> Option<&Run> {
        let run = self.runs.get(self.runs.number_of(test_run_id)?)?;
        (run.test_run_id == test_run_id && run.has_ended()).then_some(run)
    }

    /// The run that was the last to end.
    pub(crate) fn latest_run(&self) -> Option<&Run> {
        self.runs.latest_ended()
    }

    /// Lets time pass: what was to happen until now happens, in its order.
    pub(crate) fn settle(&mut self, now: Duration) {
        while let Some((at, number)) = self.runs.take_due(now) {
            self.settle_run(number, at);
        }
        for batches in [&mut self.heals, &mut self.generations] {
            while let Some((at, number)) = batches.take_due(now) {
                batches.settle(number, at);
            }
        }
    }

    /// Moves a run on. One that ends as failed and asked for it is healed from that moment on.
    fn settle_run(&mut self, number: u64, now: Duration) {
        let has_just_ended = self.runs.settle(number, now);
        if has_just_ended
            && let Some(run) = self.runs.get_mut(number)
            && let Some(block) = run.auto_heal.take()
            && run.end() == "failed"
        {
            let test_run_id = run.test_run_id.clone();
            self.start_heal(&test_run_id, block.repository, now);
        }
    }

    /// Starts healing what failed in a run that has ended.
    pub(crate) fn start_heal(
        &mut self,
        test_run_id: &str,
        repository: Option<String>,
        now: Duration,
    ) -> StartedBatch {
        let script = self.next_heals.pop_front().unwrap_or_default();
        let failed: Vec<String> = self
            .ended_run(test_run_id)
            .into_iter()
            .flat_map(|run| run.failed_tests().map(|test| test.id.clone()))
            .collect();
        let plans = script
            .share_out(failed)
            .into_iter()
            .map(|tests| self.plan(tests, repository.clone()))
            .collect();
        let id = format!("batch-xyz-{}", 788 + self.heals.next_number());
        let batch = Batch::new(id, Some(test_run_id.to_owned()), plans, &script, now);
        keep(&mut self.heals, batch, now)
    }

    pub(crate) fn start_generation(&mut self, now: Duration) -> StartedBatch {
        let script = self.next_generations.pop_front().unwrap_or_default();
        // The request names the repository of the code; the tests that come of it go to their own.
        let plan = self.plan(Vec::new(), Some(TESTS_REPOSITORY.to_owned()));
        let id = format!("batch-gen-{}", self.generations.next_number());
        let batch = Batch::new(id, None, vec![plan], &script, now);
        keep(&mut self.generations, batch, now)
    }

    fn plan(&mut self, tests: Vec<String>, repository: Option<String>) -> SessionPlan {
        self.sessions += 1;
        SessionPlan {
            number: self.sessions,
            tests,
            repository,
        }
    }

    /// The answer to a look at a healing batch.
    pub(crate) fn look_at_heal(&mut self, id: &str, now: Duration) -> Option<Value> {
        look_at(&mut self.heals, id, now)
    }

    /// The answer to a look at a generation batch.
    pub(crate) fn look_at_generation(&mut self, id: &str, now: Duration) -> Option<Value> {
        look_at(&mut self.generations, id, now)
    }

    pub(crate) fn heal_ids(&self) -> Vec<String> {
        self.heals.iter().map(|batch| batch.id.clone()).collect()
    }
}

fn keep(batches: &mut Kept<Batch>, batch: Batch, now: Duration) -> StartedBatch {
    let started = batch.started();
    let number = batches.push(batch);
    batches.settle(number, now);
    started
}

fn look_at(batches: &mut Kept<Batch>, id: &str, now: Duration) -> Option<Value> {
    let number = batches.number_of(id)?;
    let answer = batches.get_mut(number)?.look(now);
    batches.settle(number, now);
    Some(answer)
}
