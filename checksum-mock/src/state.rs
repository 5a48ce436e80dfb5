use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::batch::{Batch, BatchScript, SessionPlan};
use crate::run::Run;
use crate::{RunScript, TestScript};

/// Everything that the service knows.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) next_runs: VecDeque<RunScript>,
    pub(crate) next_heals: VecDeque<BatchScript>,
    pub(crate) next_generations: VecDeque<BatchScript>,
    runs: Vec<Run>,
    heals: Vec<Batch>,
    generations: Vec<Batch>,
    sessions: u64,
}

impl State {
    pub(crate) fn start_run(
        &mut self,
        tests: Vec<TestScript>,
        auto_heal: Option<Value>,
        now: Duration,
    ) -> &Run {
        let script = self.next_runs.pop_front().unwrap_or_default();
        let number = self.runs.len() as u64 + 1;
        self.runs
            .push(Run::new(number, tests, auto_heal, script, now));
        &self.runs[self.runs.len() - 1]
    }

    pub(crate) fn run_by_job(&mut self, job_name: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.job_name == job_name)
    }

    /// The run of a test run's id, once it has ended.
    pub(crate) fn ended_run(&self, test_run_id: &str) -> Option<&Run> {
        let run = self
            .runs
            .iter()
            .find(|run| run.test_run_id == test_run_id)?;
        run.has_ended().then_some(run)
    }

    /// The last of the runs that have ended, by their start.
    pub(crate) fn latest_run(&self) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.has_ended())
    }

    /// Lets time pass: runs move on, and those that ended failed and asked for it are healed.
    pub(crate) fn settle(&mut self, now: Duration) {
        self.runs.iter_mut().for_each(|run| run.settle(now));
        let failed = |run: &&mut Run| run.has_ended() && run.end() == "failed";
        let healed: Vec<(String, Value)> = self
            .runs
            .iter_mut()
            .filter(failed)
            .filter_map(|run| Some((run.test_run_id.clone(), run.auto_heal.take()?)))
            .collect();
        for (test_run_id, block) in healed {
            let opens = block["autoCreatePR"] != Value::Bool(false);
            let repository = block["repoName"]
                .as_str()
                .filter(|_| opens)
                .map(str::to_owned);
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
        let tests: Vec<String> = self
            .ended_run(test_run_id)
            .into_iter()
            .flat_map(|run| run.failed_tests().map(|test| test.id.clone()))
            .take(if script.has_one_session {
                1
            } else {
                usize::MAX
            })
            .collect();
        let plans = tests
            .into_iter()
            .map(|test| self.plan(Some(test), repository.clone()))
            .collect();
        let id = format!("batch-xyz-{}", 789 + self.heals.len());
        let batch = Batch::new(id, Some(test_run_id.to_owned()), plans, &script, now);
        self.heals.push(batch);
        &self.heals[self.heals.len() - 1]
    }

    pub(crate) fn start_generation(&mut self, repository: String, now: Duration) -> &Batch {
        let script = self.next_generations.pop_front().unwrap_or_default();
        let plan = self.plan(None, Some(repository));
        let id = format!("batch-gen-{}", 1 + self.generations.len());
        self.generations
            .push(Batch::new(id, None, vec![plan], &script, now));
        &self.generations[self.generations.len() - 1]
    }

    fn plan(&mut self, test_id: Option<String>, repository: Option<String>) -> SessionPlan {
        self.sessions += 1;
        SessionPlan {
            number: self.sessions,
            test_id,
            repository,
        }
    }

    pub(crate) fn heal(&mut self, id: &str) -> Option<&mut Batch> {
        self.heals.iter_mut().find(|batch| batch.id == id)
    }

    pub(crate) fn generation(&mut self, id: &str) -> Option<&mut Batch> {
        self.generations.iter_mut().find(|batch| batch.id == id)
    }

    pub(crate) fn heal_ids(&self) -> Vec<String> {
        self.heals.iter().map(|batch| batch.id.clone()).collect()
    }
}
