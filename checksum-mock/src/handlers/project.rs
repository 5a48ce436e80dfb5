use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::catalogue::PROJECT_ID;
use crate::state::State;

pub(crate) fn get_project(_: &mut State, _: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(
        json!({ "id": PROJECT_ID, "name": "My Project" }),
    ))
}
