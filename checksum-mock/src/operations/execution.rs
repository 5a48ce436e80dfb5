//! Starts of runs, and their status.

use http::StatusCode;
use serde_json::json;

use super::json_object::JsonObject;
use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult, Rejection};
use crate::script::TestScript;
use crate::state::run::{AutoHeal, RunRequest, StatusRoute};
use crate::state::{State, fixtures};

/// The most changed files that one request may name.
const MAX_CHANGED_FILES: usize = 1000;

pub(crate) fn run_suite(state: &mut State, request: &ApiRequest) -> OperationResult {
    let suites = match state.is_observed() {
        true => request.body.identifiers("suiteIds")?.unwrap_or_default(),
        false => Vec::new(),
    };
    // An empty list runs all of them, as was observed of the live service.
    let tests = match &*suites {
        [] => fixtures::all(),
        suites => fixtures::of_suites(suites),
    };
    start(state, request, tests, None)
}

pub(crate) fn run_collection(state: &mut State, request: &ApiRequest) -> OperationResult {
    let id = request.parameter("id");
    let unknown = || Rejection::not_found(format!("there is no collection `{id}`"));
    let tests = fixtures::of_collection(id).ok_or_else(unknown)?;
    start(state, request, tests, None)
}

pub(crate) fn run_tests(state: &mut State, request: &ApiRequest) -> OperationResult {
    let ids = request.body.required("testIds", JsonObject::identifiers)?;
    if ids.is_empty() {
        return Err(Rejection::invalid_field("testIds", "must not be empty"));
    }
    let tests = ids.into_iter().map(fixtures::test).collect();
    start(state, request, tests, None)
}

pub(crate) fn find_affected_tests(state: &mut State, request: &ApiRequest) -> OperationResult {
    let files = request.body.required("changedFiles", |body, name| {
        body.strings(name, MAX_CHANGED_FILES)
    })?;
    let ids = state.affected.clone();
    let ids = ids.unwrap_or_else(|| fixtures::affected_by(&files));
    Ok(JsonResponse::ok(json!({ "affectedTestIds": ids })))
}

pub(crate) fn run_grep(state: &mut State, request: &ApiRequest) -> OperationResult {
    let run = RunRequest {
        tests: matching_tests(state, request)?,
        auto_heal: None,
        shard_count: None,
    };
    Ok(JsonResponse::ok(state.start_run(run, request.now)))
}

pub(crate) fn run_grep_v2(state: &mut State, request: &ApiRequest) -> OperationResult {
    let tests = matching_tests(state, request)?;
    request.body.string("branch")?;
    request.body.string_fields("envOverrides")?;
    let shard_count = match state.is_observed() {
        true => request.body.integer_in("shardCount", 2..=40)?,
        false => None,
    };
    start(state, request, tests, shard_count)
}

fn matching_tests(state: &State, request: &ApiRequest) -> Result<Vec<TestScript>, Rejection> {
    let pattern = request
        .body
        .required("grep", JsonObject::non_empty_string)?;
    let affected = state.affected.as_deref().unwrap_or_default();
    Ok(fixtures::by_pattern(pattern, affected))
}

fn start(
    state: &mut State,
    request: &ApiRequest,
    tests: Vec<TestScript>,
    shard_count: Option<u64>,
) -> OperationResult {
    let options = request.body.object("autoHeal")?;
    let repository = options.map(|options| options.healing()).transpose()?;
    let auto_heal = repository.map(|repository| AutoHeal { repository });
    if shard_count.is_some() && auto_heal.is_some() {
        let message = "shardCount and autoHeal exclude each other";
        return Err(Rejection::new(StatusCode::BAD_REQUEST, message));
    }
    let run = RunRequest {
        tests,
        auto_heal,
        shard_count,
    };
    Ok(JsonResponse::ok(state.start_run(run, request.now)))
}

pub(crate) fn get_run_status(state: &mut State, request: &ApiRequest) -> OperationResult {
    poll(state, request, "jobName", StatusRoute::V1)
}

pub(crate) fn get_run_status_v2(state: &mut State, request: &ApiRequest) -> OperationResult {
    poll(state, request, "jobName", StatusRoute::V2)
}

pub(crate) fn get_run_status_by_run_id(state: &mut State, request: &ApiRequest) -> OperationResult {
    poll(state, request, "runId", StatusRoute::ByRunId)
}

fn poll(
    state: &mut State,
    request: &ApiRequest,
    parameter: &str,
    route: StatusRoute,
) -> OperationResult {
    let id = request.parameter(parameter);
    let unknown = || Rejection::not_found(format!("there is no run `{id}`"));
    let response = state.poll_run(id, route, request.now);
    response.map(JsonResponse::ok).ok_or_else(unknown)
}
