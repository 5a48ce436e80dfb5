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
    Ok(Answer::ok(json!({
        "batchId": batch.id,
        "sessionIds": batch.sessions,
        "failureCount": test_ids.len(),
        "testIds": test_ids,
    })))
}

pub(crate) fn get_heal_batch(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.parameter("batchId");
    let unknown = || Refusal::not_found(format!("there is no healing batch `{id}`"));
    let answer = state.look_at_heal(id, call.now);
    answer.map(Answer::ok).ok_or_else(unknown)
}
