//! Healing of the failed tests of a run.

use serde_json::json;

use super::json_object::JsonObject;
use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult, Rejection};
use super::results::finished_run;
use crate::state::State;

pub(crate) fn trigger_auto_heal(state: &mut State, request: &ApiRequest) -> OperationResult {
    let id = request.body.required("testRunId", JsonObject::identifier)?;
    let repository = request.body.healing()?;
    let run = finished_run(state, id)?;
    let test_ids: Vec<String> = run.failed_tests().map(|test| test.id.clone()).collect();
    let (batch, sessions) = state.start_heal(id, repository.as_deref(), request.now);
    Ok(JsonResponse::ok(json!({
        "batchId": batch,
        "sessionIds": sessions,
        "failureCount": test_ids.len(),
        "testIds": test_ids,
    })))
}

pub(crate) fn get_heal_batch(state: &mut State, request: &ApiRequest) -> OperationResult {
    let id = request.parameter("batchId");
    let unknown = || Rejection::not_found(format!("there is no healing batch `{id}`"));
    let response = state.poll_heal(id, request.now);
    response.map(JsonResponse::ok).ok_or_else(unknown)
}
