use http::StatusCode;
use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::run::{AutoHeal, RunRequest, StatusRoute};
use crate::state::State;
use crate::{TestScript, catalogue};

/// The most files of which the affected tests are found at once.
const MAX_CHANGED_FILES: usize = 1000;

pub(crate) fn run_suite(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let suites = match state.is_observed {
        true => call.body.identifiers("suiteIds")?.unwrap_or_default(),
        false => Vec::new(),
    };
    // An empty list is known to run all of them.
    let tests = match &*suites {
        [] => catalogue::all(),
        suites => catalogue::of_suites(suites),
    };
    start(state, call, tests, None)
}

pub(crate) fn run_collection(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id");
    let unknown = || Refusal::not_found(format!("there is no collection `{id}`"));
    let tests = catalogue::of_collection(id).ok_or_else(unknown)?;
    start(state, call, tests, None)
}

pub(crate) fn run_tests(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let ids = call.body.needed_identifiers("testIds")?;
    let tests = ids.into_iter().map(catalogue::test).collect();
    start(state, call, tests, None)
}

pub(crate) fn find_affected_tests(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let files = call
        .body
        .needed_strings("changedFiles", MAX_CHANGED_FILES)?;
    let ids = match &state.affected {
        Some(ids) => json!(ids),
        None => json!(catalogue::affected_by(&files)),
    };
    Ok(Answer::ok(json!({ "affectedTestIds": ids })))
}

pub(crate) fn run_grep(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let request = RunRequest {
        tests: found(state, call)?,
        auto_heal: None,
        shard_count: None,
    };
    Ok(Answer::ok(state.start_run(request, call.now)))
}

pub(crate) fn run_grep_v2(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let tests = found(state, call)?;
    call.body.string("branch")?;
    call.body.strings_by_name("envOverrides")?;
    let shard_count = match state.is_observed {
        true => call.body.number_within("shardCount", 2..=40)?,
        false => None,
    };
    start(state, call, tests, shard_count)
}

/// The tests that a grep finds.
fn found(state: &State, call: &Call) -> Result<Vec<TestScript>, Refusal> {
    let pattern = call.body.needed_pattern("grep")?;
    let affected = state.affected.as_deref().unwrap_or_default();
    Ok(catalogue::by_pattern(pattern, affected))
}

fn start(
    state: &mut State,
    call: &Call,
    tests: Vec<TestScript>,
    shard_count: Option<u64>,
) -> Result<Answer, Refusal> {
    let block = call.body.object("autoHeal")?;
    let auto_heal = match &block {
        Some(block) => Some(AutoHeal {
            repository: block.healing()?,
        }),
        None => None,
    };
    if shard_count.is_some() && auto_heal.is_some() {
        let message = "shardCount and autoHeal exclude each other";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    let request = RunRequest {
        tests,
        auto_heal,
        shard_count,
    };
    Ok(Answer::ok(state.start_run(request, call.now)))
}

pub(crate) fn get_run_status(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    look(state, call, StatusRoute::V1)
}

pub(crate) fn get_run_status_v2(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    look(state, call, StatusRoute::V2)
}

pub(crate) fn get_run_status_by_run_id(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    look(state, call, StatusRoute::ByRunId)
}

fn look(state: &mut State, call: &Call, route: StatusRoute) -> Result<Answer, Refusal> {
    let id = call.parameter(match route {
        StatusRoute::V1 | StatusRoute::V2 => "jobName",
        StatusRoute::ByRunId => "runId",
    });
    let unknown = || Refusal::not_found(format!("there is no run `{id}`"));
    let answer = state.look_at_run(id, route, call.now);
    answer.map(Answer::ok).ok_or_else(unknown)
}
