//! The project that the API key belongs to.

use serde_json::json;

use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult};
use crate::state::State;
use crate::state::fixtures::PROJECT_ID;

pub(crate) fn get_project(_: &mut State, _: &ApiRequest) -> OperationResult {
    let project = json!({ "id": PROJECT_ID, "name": "My Project" });
    Ok(JsonResponse::ok(project))
}
