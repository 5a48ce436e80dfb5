//! How a run proceeds and ends.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::phase::Phase;
use super::test::TestScript;

/// Describes one run: how long it stays in each state, how it ends, and what it returns.
///
/// Default: it is queued for one poll, runs for two, and ends `passed`.
#[derive(Clone, Debug)]
#[must_use]
pub struct RunScript {
    pub(crate) queued: Phase,
    pub(crate) running: Phase,
    pub(crate) merging: Phase,
    pub(crate) end_state: String,
    pub(crate) failing_tests: Vec<String>,
    pub(crate) tests: Option<Vec<TestScript>>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) branch: String,
    pub(crate) is_sharded: bool,
    pub(crate) lost_shards: u64,
    pub(crate) shows_observed: bool,
    pub(crate) only_version: Option<&'static str>,
    pub(crate) fields: Map<String, Value>,
}

impl Default for RunScript {
    fn default() -> Self {
        Self {
            queued: Phase::Polls(1),
            running: Phase::Polls(2),
            merging: Phase::Polls(0),
            end_state: "passed".to_owned(),
            failing_tests: Vec::new(),
            tests: None,
            counts: BTreeMap::new(),
            branch: "main".to_owned(),
            is_sharded: false,
            lost_shards: 0,
            shows_observed: false,
            only_version: None,
            fields: Map::new(),
        }
    }
}

impl RunScript {
    /// Describes a run that passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the run is queued: a number of polls, or a time on the clock. Default: 1 poll.
    pub fn queued(mut self, phase: impl Into<Phase>) -> Self {
        self.queued = phase.into();
        self
    }

    /// Sets how long it runs: a number of polls, or a time on the clock. Default: 2 polls.
    pub fn running(mut self, phase: impl Into<Phase>) -> Self {
        self.running = phase.into();
        self
    }

    /// Sets how long its reports are merged after its tests have finished: a number of polls, or a
    /// time on the clock. Default: 0.
    ///
    /// Meanwhile it already has its end state and counts, although the run has not finished: it
    /// has no results, `isTerminal` is false and `verdict` is `pending`.
    pub fn merging(mut self, phase: impl Into<Phase>) -> Self {
        self.merging = phase.into();
        self
    }

    /// Makes these tests fail and the run end `failed`. A test that the run does not select is
    /// added to it.
    pub fn fail_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing_tests = tests.into_iter().map(Into::into).collect();
        self.end_state("failed")
    }

    /// Makes these tests fail, and the run with them unless its script already ends otherwise.
    pub(crate) fn fail_if_passing(self, tests: Vec<String>) -> Self {
        match (tests.is_empty(), self.end_state.clone()) {
            (true, _) => self,
            (false, end) if end == "passed" => self.fail_tests(tests),
            (false, end) => self.fail_tests(tests).end_state(end),
        }
    }

    /// Makes it end `healed`.
    pub fn healed(self) -> Self {
        self.end_state("healed")
    }

    /// Makes it end `process-error`.
    pub fn process_error(self) -> Self {
        self.end_state("process-error")
    }

    /// Makes it end `cancelled`.
    pub fn cancelled(self) -> Self {
        self.end_state("cancelled")
    }

    /// Makes it end in any state, also in one that the API's description does not list.
    pub fn end_state(mut self, state: impl Into<String>) -> Self {
        self.end_state = state.into();
        self
    }

    /// Makes it run forever.
    pub fn never_finishes(self) -> Self {
        self.running(Phase::Forever)
    }

    /// Sets the tests of the run, in place of those that the request selects.
    pub fn tests(mut self, tests: impl IntoIterator<Item = TestScript>) -> Self {
        self.tests = Some(tests.into_iter().collect());
        self
    }

    /// Sets the count of passed tests. Default: counted from the tests.
    pub fn passed(self, count: u64) -> Self {
        self.count("passed", count)
    }

    /// Sets the count of failed tests. Default: counted from the tests.
    pub fn failed(self, count: u64) -> Self {
        self.count("failed", count)
    }

    /// Sets the count of recovered tests. Default: counted from the tests.
    pub fn recovered(self, count: u64) -> Self {
        self.count("recovered", count)
    }

    /// Sets the count of bugs. Default: counted from the tests.
    pub fn bug(self, count: u64) -> Self {
        self.count("bug", count)
    }

    fn count(mut self, name: &'static str, count: u64) -> Self {
        self.counts.insert(name, count);
        self
    }

    /// Sets the branch that the results name. Default: `main`.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = branch.into();
        self
    }

    /// Splits the run into shards: as many as the request's `shardCount`, else two.
    ///
    /// The response to its start then has a `runId` and no name, so that only
    /// `get_run_status_by_run_id` can find the run. This needs
    /// [`MockBuilder::observed`](crate::MockBuilder::observed), with which a `shardCount` in the
    /// request does the same.
    pub fn sharded(mut self, is_sharded: bool) -> Self {
        self.is_sharded = is_sharded;
        self
    }

    /// Loses this many of the run's shards, at most all of them. Has no effect on a run that is
    /// not [sharded](Self::sharded).
    ///
    /// The tests of a lost shard are missing in the report, and the verdict is `fail` with a
    /// reason that says so. The state stays as scripted: `passed`, or that of
    /// [`fail_tests`](Self::fail_tests) or [`process_error`](Self::process_error).
    pub fn lost_shards(mut self, count: u64) -> Self {
        self.lost_shards = count;
        self
    }

    /// Adds the observed fields (`isTerminal`, `verdict`, `failureReason`) to the responses of
    /// `get_run_status` and `get_run_status_v2`, and `runId` and `sharded` to the response to the
    /// start. Default: false.
    ///
    /// `get_run_status_by_run_id` always returns them. Whether the live service returns them on
    /// the documented routes is not known.
    pub fn observed_fields(mut self, are_shown: bool) -> Self {
        self.shows_observed = are_shown;
        self
    }

    /// Makes only the status route of this version, `v1` or `v2`, find the run; the other one
    /// responds with 404.
    pub fn only_api_version(mut self, version: &'static str) -> Self {
        self.only_version = Some(version);
        self
    }

    /// Adds a field to every status response of the run, or replaces one.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}
