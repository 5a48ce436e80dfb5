use http::StatusCode;
use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::state::State;

pub(crate) fn trigger_auto_generate(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let body = &call.body;
    let required = || Refusal::member("prNumber", "is required");
    body.number("prNumber")?.ok_or_else(required)?;
    body.needed_identifier("repoName")?;
    body.needed_string("branch")?;
    body.object("metadata")?;
    body.strings_by_name("envOverrides")?;
    let batch = state.start_generation(call.now);
    let session = batch.sessions.first().map_or("", String::as_str);
    Ok(Answer {
        status: StatusCode::ACCEPTED,
        body: json!({
            "batchId": batch.id,
            "sessionId": session,
            "links": { "session": format!("https://app.checksum.ai/#/sessions/{session}") },
        }),
    })
}

pub(crate) fn get_generation_batch(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.parameter("batchId");
    let unknown = || Refusal::not_found(format!("there is no generation batch `{id}`"));
    let answer = state.look_at_generation(id, call.now);
    answer.map(Answer::ok).ok_or_else(unknown)
}
