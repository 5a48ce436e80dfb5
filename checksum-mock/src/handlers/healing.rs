use serde_json::json;

use super::results::ended_run;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::state::State;

pub(crate) fn trigger_auto_heal(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.body.needed_identifier("testRunId")?;
    let repository = call.body.healing()?;
    let run = ended_run(state, id)?;
    let test_ids: Vec<String> = run.failed_tests().map(|test| test.id.clone()).collect();
    let batch = state.start_heal(id, repository, call.now);
    let sessions: Vec<&str> = batch
        .sessions()
        .iter()
        .map(|session| &*session.id)
        .collect();
    Ok(Answer::ok(json!({
        "batchId": batch.id,
        "sessionIds": sessions,
        "failureCount": test_ids.len(),
        "testIds": test_ids,
    })))
}

pub(crate) fn get_heal_batch(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.parameter("batchId");
    let unknown = || Refusal::not_found(format!("there is no healing batch `{id}`"));
    Ok(Answer::ok(
        state.heal(id).ok_or_else(unknown)?.look(call.now),
    ))
}
