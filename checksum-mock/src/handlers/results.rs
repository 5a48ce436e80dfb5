use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::files;
use crate::run::Run;
use crate::state::State;

pub(crate) fn get_test_run_results(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let run = ended_run(state, call.parameter("id"))?;
    let status = call.query("status")?;
    let tests = run
        .tests
        .iter()
        .filter(|test| status.is_none_or(|status| test.status == status));
    let mut results = run.summary();
    results.insert(
        "tests".to_owned(),
        tests.map(|test| test.answer()).collect(),
    );
    Ok(Answer::ok(results))
}

pub(crate) fn get_test_run_report(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let run = ended_run(state, call.parameter("id"))?;
    let url = format!("{}{}", call.origin, files::report_path(run));
    Ok(Answer::ok(json!({ "url": url })))
}

pub(crate) fn get_test_attachments(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let run = ended_run(state, call.parameter("runId"))?;
    let id = call.parameter("testId");
    let unknown =
        || Refusal::not_found(format!("test run `{}` has no test `{id}`", run.test_run_id));
    let test = run.tests.iter().position(|test| test.id == id);
    let test = test.ok_or_else(unknown)?;
    let attachments: Vec<Value> = files::ATTACHMENTS
        .iter()
        .map(|file| {
            json!({
                "name": file.name,
                "kind": file.kind,
                "contentType": file.content_type,
                "url": format!("{}{}", call.origin, files::attachment_path(run, test, file)),
            })
        })
        .collect();
    Ok(Answer::ok(json!({ "attachments": attachments })))
}

pub(crate) fn get_latest_test_run(state: &mut State, _: &Call) -> Result<Answer, Refusal> {
    let run = state
        .latest_run()
        .ok_or_else(|| Refusal::not_found("no run has ended yet"))?;
    Ok(Answer::ok(run.summary()))
}

/// The run of a test run's id; a job name in its place is told apart, since mixing the two up is
/// the mistake that the description warns of.
pub(crate) fn ended_run<'a>(state: &'a State, id: &str) -> Result<&'a Run, Refusal> {
    let is_job = state.is_job(id);
    let unknown = || {
        Refusal::not_found(if is_job {
            format!("there is no test run `{id}`: that is a job name; a test run has an id")
        } else {
            format!("there is no test run `{id}` that has ended")
        })
    };
    state.ended_run(id).ok_or_else(unknown)
}
