use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::state::State;

pub(crate) fn get_project(_: &mut State, _: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(
        json!({ "id": "project-abc-123", "name": "My Project" }),
    ))
}
