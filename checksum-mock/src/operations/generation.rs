//! Generation of tests for a pull request.

use http::StatusCode;
use serde_json::json;

use super::json_object::JsonObject;
use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult, Rejection};
use crate::state::State;

pub(crate) fn trigger_auto_generate(state: &mut State, request: &ApiRequest) -> OperationResult {
    let body = &request.body;
    body.required("prNumber", JsonObject::pr_number)?;
    body.required("repoName", JsonObject::identifier)?;
    body.required("branch", JsonObject::string)?;
    body.object("metadata")?;
    body.string_fields("envOverrides")?;
    let (batch, sessions) = state.start_generation(request.now);
    let session = &sessions[0];
    Ok(JsonResponse {
        status: StatusCode::ACCEPTED,
        body: json!({
            "batchId": batch,
            "sessionId": session,
            "links": { "session": format!("https://app.checksum.ai/#/sessions/{session}") },
        }),
    })
}

pub(crate) fn get_generation_batch(state: &mut State, request: &ApiRequest) -> OperationResult {
    let id = request.parameter("batchId");
    let unknown = || Rejection::not_found(format!("there is no generation batch `{id}`"));
    let response = state.poll_generation(id, request.now);
    response.map(JsonResponse::ok).ok_or_else(unknown)
}
