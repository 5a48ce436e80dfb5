//! The results of a finished run, its report and its attachments.

use serde_json::{Value, json};

use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult, Rejection};
use crate::script::TestScript;
use crate::state::run::Run;
use crate::state::{State, files};

pub(crate) fn get_test_run_results(state: &mut State, request: &ApiRequest) -> OperationResult {
    let run = finished_run(state, request.parameter("id"))?;
    let status = request.query("status")?;
    let is_wanted = |test: &&TestScript| status.is_none_or(|status| test.status == status);
    let tests = run.tests.iter().filter(is_wanted).map(test_result);
    let mut results = run.summary();
    results["tests"] = tests.collect();
    Ok(JsonResponse::ok(results))
}

fn test_result(test: &TestScript) -> Value {
    let has_error = matches!(&*test.status, "failed" | "bug");
    json!({
        "checksumTestId": test.id,
        "testTitle": test.title,
        "testFilePath": test.file,
        "status": test.status,
        "errorMessage": has_error.then_some(&test.message),
        "healthStatus": if test.has_failed() { "flaky" } else { "healthy" },
        "tags": test.tags,
    })
}

pub(crate) fn get_test_run_report(state: &mut State, request: &ApiRequest) -> OperationResult {
    let run = finished_run(state, request.parameter("id"))?;
    let url = format!("{}{}", request.origin, files::report_path(run));
    Ok(JsonResponse::ok(json!({ "url": url })))
}

pub(crate) fn get_test_attachments(state: &mut State, request: &ApiRequest) -> OperationResult {
    let run = finished_run(state, request.parameter("runId"))?;
    let id = request.parameter("testId");
    let test = run.tests.iter().position(|test| test.id == id);
    let test = test.ok_or_else(|| {
        Rejection::not_found(format!("test run `{}` has no test `{id}`", run.test_run_id))
    })?;
    let attachment = |file: &files::Attachment| {
        let path = files::attachment_path(run, test, file);
        json!({
            "name": file.name,
            "kind": file.kind,
            "contentType": file.content_type,
            "url": format!("{}{path}", request.origin),
        })
    };
    let attachments: Vec<Value> = files::ATTACHMENTS.iter().map(attachment).collect();
    Ok(JsonResponse::ok(json!({ "attachments": attachments })))
}

pub(crate) fn get_latest_test_run(state: &mut State, _: &ApiRequest) -> OperationResult {
    let unknown = || Rejection::not_found("no run has ended yet");
    let run = state.latest_run().ok_or_else(unknown)?;
    Ok(JsonResponse::ok(run.summary()))
}

/// Returns the finished run of a test run id. A job name gets a message of its own, because the
/// API's description warns of this mistake.
pub(crate) fn finished_run<'a>(state: &'a State, id: &str) -> Result<&'a Run, Rejection> {
    state.finished_run(id).ok_or_else(|| {
        Rejection::not_found(if state.is_job_name(id) {
            format!("there is no test run `{id}`: that is a job name; a test run has an id")
        } else {
            format!("there is no test run `{id}` that has ended")
        })
    })
}
