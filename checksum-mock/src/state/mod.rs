//! The state of the mock server: the runs and batches that were started, and the scripts of the
//! next ones. It performs no I/O, and its time is a parameter.

pub(crate) mod batch;
pub(crate) mod files;
pub(crate) mod fixtures;
pub(crate) mod run;
pub(crate) mod store;
mod timeline;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use self::batch::Batch;
use self::run::{Run, RunRequest, StatusRoute};
use self::store::{Limit, Store};
use crate::script::{BatchScript, RunScript};

/// The settings of the state, which do not change while the mock server runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) default_run: RunScript,
    pub(crate) failing_tests: Vec<String>,
    /// Whether the observed parts of the API are served.
    pub(crate) is_observed: bool,
    pub(crate) limit: Limit,
}

#[derive(Debug)]
pub(crate) struct State {
    settings: Settings,
    /// The tests that `find_affected_tests` returns, if a test has set them.
    pub(crate) affected: Option<Vec<String>>,
    pub(crate) next_runs: VecDeque<RunScript>,
    pub(crate) next_heals: VecDeque<BatchScript>,
    pub(crate) next_generations: VecDeque<BatchScript>,
    runs: Store<Run>,
    heals: Store<Batch>,
    generations: Store<Batch>,
    sessions: u64,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        let limit = settings.limit;
        Self {
            settings,
            affected: None,
            next_runs: VecDeque::new(),
            next_heals: VecDeque::new(),
            next_generations: VecDeque::new(),
            runs: Store::new(limit),
            heals: Store::new(limit),
            generations: Store::new(limit),
            sessions: 0,
        }
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.settings.is_observed
    }

    /// Makes every transition that is due until `now`, in its order.
    pub(crate) fn advance_to(&mut self, now: Duration) {
        while let Some((at, number)) = self.runs.take_due(now) {
            self.advance_run(number, at);
        }
        for batches in [&mut self.heals, &mut self.generations] {
            while let Some((at, number)) = batches.take_due(now) {
                batches.advance(number, at);
            }
        }
    }

    /// Advances a run to `now`. If it ended `failed` with `autoHeal`, starts a heal batch.
    fn advance_run(&mut self, number: u64, now: Duration) {
        let has_just_finished = self.runs.advance(number, now);
        if has_just_finished
            && let Some(run) = self.runs.get(number)
            && let Some(auto_heal) = run.auto_heal.clone()
            && run.end_state() == "failed"
        {
            let test_run_id = run.test_run_id.clone();
            self.start_heal(&test_run_id, auto_heal.repository.as_deref(), now);
        }
    }

    /// Starts a run, and returns the response to its request.
    pub(crate) fn start_run(&mut self, request: RunRequest, now: Duration) -> Value {
        let script = self.next_runs.pop_front().unwrap_or_else(|| {
            let Settings {
                default_run,
                failing_tests,
                ..
            } = &self.settings;
            let tests = request.tests.iter().map(|test| test.id.clone());
            let failing = tests.filter(|id| failing_tests.contains(id));
            default_run.clone().fail_if_passing(failing.collect())
        });
        let run = Run::new(self.runs.next_number(), request, script);
        let response = run.start_response(self.is_observed());
        let phases = run.phases();
        let number = self.runs.insert(run, phases, now);
        self.advance_run(number, now);
        response
    }

    /// Polls a run by one of the status routes. Returns `None` if the route does not find it.
    pub(crate) fn poll_run(
        &mut self,
        id: &str,
        route: StatusRoute,
        now: Duration,
    ) -> Option<Value> {
        let number = self.runs.number_of(id)?;
        if !self.runs.get(number)?.is_known_to(route, id) {
            return None;
        }
        let (phase, run) = self.runs.poll(number, now)?;
        let response = run.status_response(route, phase);
        // The poll may have been the last of its phase.
        self.advance_run(number, now);
        Some(response)
    }

    pub(crate) fn is_job_name(&self, name: &str) -> bool {
        let number = self.runs.number_of(name);
        let run = number.and_then(|number| self.runs.get(number));
        run.is_some_and(|run| run.job_name.as_deref() == Some(name))
    }

    /// Returns the run of a test run id, if it has finished.
    pub(crate) fn finished_run(&self, test_run_id: &str) -> Option<&Run> {
        let run = self.runs.get_finished(self.runs.number_of(test_run_id)?)?;
        (run.test_run_id == test_run_id).then_some(run)
    }

    /// Returns the run that was the last to finish.
    pub(crate) fn latest_run(&self) -> Option<&Run> {
        self.runs.latest_finished()
    }

    /// Starts healing the failed tests of a finished run. Returns the ids of the batch and of its
    /// sessions.
    pub(crate) fn start_heal(
        &mut self,
        test_run_id: &str,
        repository: Option<&str>,
        now: Duration,
    ) -> (String, Vec<String>) {
        let script = self.next_heals.pop_front().unwrap_or_default();
        let run = self.finished_run(test_run_id).into_iter();
        let failed = run.flat_map(Run::failed_tests).map(|test| test.id.clone());
        let sessions = script.split_into_sessions(failed.collect());
        let sessions = sessions
            .into_iter()
            .map(|tests| (self.next_session(), tests));
        let sessions = sessions.collect();
        let id = format!("batch-xyz-{}", 788 + self.heals.next_number());
        let run = Some(test_run_id.to_owned());
        let batch = Batch::new(id, run, sessions, repository, &script);
        start_batch(&mut self.heals, batch, now)
    }

    /// Starts a generation batch. Returns its id and those of its sessions.
    pub(crate) fn start_generation(&mut self, now: Duration) -> (String, Vec<String>) {
        let script = self.next_generations.pop_front().unwrap_or_default();
        let id = format!("batch-gen-{}", self.generations.next_number());
        let sessions = vec![(self.next_session(), Vec::new())];
        // The request names the repository of the code; its tests go to their own.
        let repository = Some(fixtures::TESTS_REPOSITORY);
        let batch = Batch::new(id, None, sessions, repository, &script);
        start_batch(&mut self.generations, batch, now)
    }

    fn next_session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    pub(crate) fn poll_heal(&mut self, id: &str, now: Duration) -> Option<Value> {
        poll_batch(&mut self.heals, id, now)
    }

    pub(crate) fn poll_generation(&mut self, id: &str, now: Duration) -> Option<Value> {
        poll_batch(&mut self.generations, id, now)
    }

    /// Returns what the page shows of at most `max` runs, the latest first.
    pub(crate) fn run_overviews(&self, max: usize) -> Vec<Value> {
        let runs = self.runs.latest().take(max);
        runs.map(|(phase, run)| run.overview(phase)).collect()
    }

    /// Returns the status of at most `max` batches of healing, then of generation, of each kind the
    /// latest first.
    pub(crate) fn batch_overviews(&self, max: usize) -> Vec<Value> {
        let of_kind = |kind: &str, batches: &Store<Batch>| {
            let batches = batches.latest().take(max);
            let overviews = batches.map(|(phase, batch)| {
                let mut overview = batch.status_response(phase);
                overview["kind"] = kind.into();
                overview
            });
            overviews.collect::<Vec<_>>()
        };
        let heals = of_kind("healing", &self.heals);
        [heals, of_kind("generation", &self.generations)].concat()
    }

    pub(crate) fn heal_ids(&self) -> Vec<String> {
        self.heals.iter().map(|batch| batch.id.clone()).collect()
    }
}

fn start_batch(batches: &mut Store<Batch>, batch: Batch, now: Duration) -> (String, Vec<String>) {
    let ids = (batch.id.clone(), batch.session_ids());
    let phases = batch.phases();
    let number = batches.insert(batch, phases, now);
    batches.advance(number, now);
    ids
}

fn poll_batch(batches: &mut Store<Batch>, id: &str, now: Duration) -> Option<Value> {
    let number = batches.number_of(id)?;
    let (phase, batch) = batches.poll(number, now)?;
    let response = batch.status_response(phase);
    batches.advance(number, now);
    Some(response)
}
