use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use crate::batch::{Batch, BatchScript, SessionPlan};
use crate::catalogue::TESTS_REPOSITORY;
use crate::run::Run;
use crate::{RunScript, TestScript};

/// Everything that the service knows.
#[derive(Debug, Default)]
pub(crate) struct State {
    default_run: RunScript,
    broken_tests: Vec<String>,
    pub(crate) next_runs: VecDeque<RunScript>,
    pub(crate) next_heals: VecDeque<BatchScript>,
    pub(crate) next_generations: VecDeque<BatchScript>,
    runs: Vec<Run>,
    /// Where in `runs` a job is.
    jobs: HashMap<String, usize>,
    /// Where in `runs` a test run is.
    test_runs: HashMap<String, usize>,
    /// When time by itself will move on which run: with it, a request among thousands of runs
    /// costs no look at each of them.
    due: BTreeSet<(Duration, usize)>,
    /// The run that was the last to end.
    latest: Option<usize>,
    heals: Batches,
    generations: Batches,
    sessions: u64,
}

/// Batches in the order of their start, found by their ids.
#[derive(Debug, Default)]
struct Batches {
    list: Vec<Batch>,
    by_id: HashMap<String, usize>,
}

impl Batches {
    fn push(&mut self, batch: Batch) -> &Batch {
        let index = self.list.len();
        self.by_id.insert(batch.id.clone(), index);
        self.list.push(batch);
        &self.list[index]
    }

    fn get_mut(&mut self, id: &str) -> Option<&mut Batch> {
        let index = *self.by_id.get(id)?;
        self.list.get_mut(index)
    }
}

impl State {
    pub(crate) fn new(default_run: RunScript, broken_tests: Vec<String>) -> Self {
        Self {
            default_run,
            broken_tests,
            ..Self::default()
        }
    }

    pub(crate) fn start_run(
        &mut self,
        tests: Vec<TestScript>,
        auto_heal: Option<Value>,
        now: Duration,
    ) -> &Run {
        let next = self.next_runs.pop_front();
        let script = next.unwrap_or_else(|| {
            let tests = tests.iter().map(|test| &test.id);
            let broken = tests.filter(|id| self.broken_tests.contains(id));
            self.default_run.clone().breaks(broken.cloned().collect())
        });
        let index = self.runs.len();
        let run = Run::new(index as u64 + 1, tests, auto_heal, script, now);
        self.jobs.insert(run.job_name.clone(), index);
        self.test_runs.insert(run.test_run_id.clone(), index);
        self.runs.push(run);
        self.settle_run(index, now);
        &self.runs[index]
    }

    /// The answer to a look at a job by one of the status routes, if that route knows the job.
    pub(crate) fn look_at_run(
        &mut self,
        job_name: &str,
        version: &str,
        now: Duration,
    ) -> Option<Value> {
        let index = *self.jobs.get(job_name)?;
        let run = &mut self.runs[index];
        if !run.is_known_to(version) {
            return None;
        }
        let answer = run.look(version, now);
        // The look may have been the last of its phase.
        self.settle_run(index, now);
        Some(answer)
    }

    pub(crate) fn is_job(&self, name: &str) -> bool {
        self.jobs.contains_key(name)
    }

    /// The run of a test run's id, once it has ended.
    pub(crate) fn ended_run(&self, test_run_id: &str) -> Option<&Run> {
        let run = &self.runs[*self.test_runs.get(test_run_id)?];
        run.has_ended().then_some(run)
    }

    /// The run that was the last to end.
    pub(crate) fn latest_run(&self) -> Option<&Run> {
        Some(&self.runs[self.latest?])
    }

    /// Lets time pass: what was to happen until now happens, in its order.
    pub(crate) fn settle(&mut self, now: Duration) {
        while let Some(&(at, index)) = self.due.first()
            && at <= now
        {
            self.due.pop_first();
            self.settle_run(index, at);
        }
    }

    /// Moves a run on. One that ends as failed and asked for it is healed from that moment on.
    fn settle_run(&mut self, index: usize, now: Duration) {
        let run = &mut self.runs[index];
        let had_ended = run.is_settled;
        run.settle(now);
        self.due.extend(run.due().map(|at| (at, index)));
        if had_ended || !run.has_ended() {
            return;
        }
        run.is_settled = true;
        self.latest = Some(index);
        if run.end() == "failed"
            && let Some(block) = run.auto_heal.take()
        {
            let opens = block["autoCreatePR"] != Value::Bool(false);
            let repository = block["repoName"].as_str().filter(|_| opens);
            let repository = repository.map(str::to_owned);
            let test_run_id = run.test_run_id.clone();
            self.start_heal(&test_run_id, repository, now);
        }
    }

    /// Starts healing what failed in a run that has ended.
    pub(crate) fn start_heal(
        &mut self,
        test_run_id: &str,
        repository: Option<String>,
        now: Duration,
    ) -> &Batch {
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
        let id = format!("batch-xyz-{}", 789 + self.heals.list.len());
        let batch = Batch::new(id, Some(test_run_id.to_owned()), plans, &script, now);
        self.heals.push(batch)
    }

    pub(crate) fn start_generation(&mut self, now: Duration) -> &Batch {
        let script = self.next_generations.pop_front().unwrap_or_default();
        // The request names the repository of the code; the tests that come of it go to their own.
        let plan = self.plan(Vec::new(), Some(TESTS_REPOSITORY.to_owned()));
        let id = format!("batch-gen-{}", 1 + self.generations.list.len());
        let batch = Batch::new(id, None, vec![plan], &script, now);
        self.generations.push(batch)
    }

    fn plan(&mut self, tests: Vec<String>, repository: Option<String>) -> SessionPlan {
        self.sessions += 1;
        SessionPlan {
            number: self.sessions,
            tests,
            repository,
        }
    }

    pub(crate) fn heal(&mut self, id: &str) -> Option<&mut Batch> {
        self.heals.get_mut(id)
    }

    pub(crate) fn generation(&mut self, id: &str) -> Option<&mut Batch> {
        self.generations.get_mut(id)
    }

    pub(crate) fn heal_ids(&self) -> Vec<String> {
        let batches = self.heals.list.iter();
        batches.map(|batch| batch.id.clone()).collect()
    }
}
