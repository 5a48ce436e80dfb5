use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Phase;

/// What becomes of a run.
///
/// Without more it is queued for one look, runs for two and passes.
#[derive(Clone, Debug)]
#[must_use]
pub struct RunScript {
    pub(crate) queued: Phase,
    pub(crate) running: Phase,
    pub(crate) merging: Phase,
    pub(crate) end: String,
    pub(crate) failing: Vec<String>,
    pub(crate) tests: Option<Vec<TestScript>>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) branch: String,
    pub(crate) is_sharded: bool,
    pub(crate) lost_shards: u64,
    pub(crate) shows_observed: bool,
    pub(crate) known_to: Option<&'static str>,
    pub(crate) members: serde_json::Map<String, Value>,
}

/// How one test of a run fares.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestScript {
    pub(crate) id: String,
    pub(crate) title: String,
    file: String,
    tags: Vec<String>,
    pub(crate) status: String,
    /// What it says when it fails.
    message: String,
    health: &'static str,
}

impl Default for RunScript {
    fn default() -> Self {
        Self {
            queued: Phase::Looks(1),
            running: Phase::Looks(2),
            merging: Phase::Looks(0),
            end: "passed".to_owned(),
            failing: Vec::new(),
            tests: None,
            counts: BTreeMap::new(),
            branch: "main".to_owned(),
            is_sharded: false,
            lost_shards: 0,
            shows_observed: false,
            known_to: None,
            members: serde_json::Map::new(),
        }
    }
}

impl RunScript {
    /// A run that passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the run is queued: a number of looks, or a time on the clock.
    pub fn queued(mut self, phase: impl Into<Phase>) -> Self {
        self.queued = phase.into();
        self
    }

    /// How long it runs: a number of looks, or a time on the clock.
    pub fn running(mut self, phase: impl Into<Phase>) -> Self {
        self.running = phase.into();
        self
    }

    /// How long its reports are merged after its tests have ended: a number of looks, or a time on
    /// the clock; no time at all without. Until then its state is that of its end, and its counts
    /// are there, and yet the run has not ended: it has no results, `isTerminal` is false and
    /// `verdict` is `pending`.
    pub fn merging(mut self, phase: impl Into<Phase>) -> Self {
        self.merging = phase.into();
        self
    }

    /// It ends `passed`.
    pub fn passes(self) -> Self {
        self.end_state("passed")
    }

    /// These tests fail, and the run ends `failed`.
    pub fn fail_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing = tests.into_iter().map(Into::into).collect();
        self.end_state("failed")
    }

    /// These tests fail, and with them a run that would have passed.
    pub(crate) fn breaks(self, tests: Vec<String>) -> Self {
        let end = self.end.clone();
        match tests.is_empty() {
            true => self,
            false if end == "passed" => self.fail_tests(tests),
            false => self.fail_tests(tests).end_state(end),
        }
    }

    /// It ends `healed`.
    pub fn healed(self) -> Self {
        self.end_state("healed")
    }

    /// It ends `process-error`.
    pub fn process_error(self) -> Self {
        self.end_state("process-error")
    }

    /// It ends `cancelled`.
    pub fn cancelled(self) -> Self {
        self.end_state("cancelled")
    }

    /// It ends in any state, one that the description does not know included.
    pub fn end_state(mut self, state: impl Into<String>) -> Self {
        self.end = state.into();
        self
    }

    /// It runs for good.
    pub fn never_finishes(self) -> Self {
        self.running(Phase::Forever)
    }

    /// The tests, in place of those that the request selects.
    pub fn tests(mut self, tests: impl IntoIterator<Item = TestScript>) -> Self {
        self.tests = Some(tests.into_iter().collect());
        self
    }

    /// The count of passed tests, in place of what the tests come to.
    pub fn passed(self, count: u64) -> Self {
        self.count("passed", count)
    }

    /// The count of failed tests, in place of what the tests come to.
    pub fn failed(self, count: u64) -> Self {
        self.count("failed", count)
    }

    /// The count of recovered tests, in place of what the tests come to.
    pub fn recovered(self, count: u64) -> Self {
        self.count("recovered", count)
    }

    /// The count of bugs, in place of what the tests come to.
    pub fn bug(self, count: u64) -> Self {
        self.count("bug", count)
    }

    fn count(mut self, name: &'static str, count: u64) -> Self {
        self.counts.insert(name, count);
        self
    }

    /// The branch that the results name.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = branch.into();
        self
    }

    /// Splits the run into shards, into two where the request has no `shardCount`. The response to
    /// its start has no name, and a `runId` in its place: only `get_run_status_by_run_id` knows the
    /// run, on a stand-in with [`MockBuilder::observed`](crate::MockBuilder::observed), where a
    /// `shardCount` in the request does the same.
    pub fn sharded(mut self, is_sharded: bool) -> Self {
        self.is_sharded = is_sharded;
        self
    }

    /// So many of the run's shards are lost, all of them at most. Their tests are missing in the
    /// report, and the verdict is `fail` with a reason that says so. The state is not changed: it is
    /// `passed`, or that of [`fails`](Self::fails) or [`process_error`](Self::process_error). It
    /// has no bearing on a run that is not [sharded](Self::sharded).
    pub fn lost_shards(mut self, count: u64) -> Self {
        self.lost_shards = count;
        self
    }

    /// Whether `get_run_status` and `get_run_status_v2` return the observed fields too:
    /// `isTerminal`, `verdict` and `failureReason`, as `get_run_status_by_run_id` always does. The
    /// response to the start then has `runId` and `sharded` on any stand-in. Whether the live
    /// service does so is not known.
    pub fn observed_fields(mut self, are_shown: bool) -> Self {
        self.shows_observed = are_shown;
        self
    }

    /// Of the two documented status routes, only that of this version, `v1` or `v2`, knows the run.
    pub fn only_api_version(mut self, version: &'static str) -> Self {
        self.known_to = Some(version);
        self
    }

    /// A member that every status answer carries, over what it would carry by that name.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }
}

impl TestScript {
    /// A test that passes.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            title: format!("Test {id}"),
            file: "checksum/tests/scripted.spec.ts".to_owned(),
            tags: Vec::new(),
            status: "passed".to_owned(),
            message: "Timeout of 30000ms exceeded".to_owned(),
            health: "healthy",
            id,
        }
    }

    /// The title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The file that it stands in.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }

    /// The tags.
    pub fn tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// The status that it ends with: `passed`, `failed`, `recovered`, `bug` or any other.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// It fails with that message.
    pub fn fails(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self.fail();
        self
    }

    /// It fails with the message that it has.
    pub(crate) fn fail(&mut self) {
        "failed".clone_into(&mut self.status);
        self.health = "flaky";
    }

    /// What it says when it fails.
    pub(crate) fn message(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// The bytes that it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.id,
            &self.title,
            &self.file,
            &self.status,
            &self.message,
        ];
        let texts = texts.into_iter().chain(&self.tags);
        size_of::<Self>()
            + texts
                .map(|text| size_of::<String>() + text.len())
                .sum::<usize>()
    }

    pub(crate) fn answer(&self) -> Value {
        let has_failed = matches!(&*self.status, "failed" | "bug");
        json!({
            "checksumTestId": self.id,
            "testTitle": self.title,
            "testFilePath": self.file,
            "status": self.status,
            "errorMessage": has_failed.then_some(&self.message),
            "healthStatus": self.health,
            "tags": self.tags,
        })
    }
}
