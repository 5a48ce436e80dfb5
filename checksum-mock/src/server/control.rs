//! The control routes of the page: what the mock server holds, scripts of the next runs, and faults.

use std::time::Duration;

use serde_json::{Value, json};

use super::app::App;
use super::request_log::RecordedRequest;
use crate::fault::{self, Fault};
use crate::operations::json_object::JsonObject;
use crate::operations::response::Rejection;
use crate::routes::Route;
use crate::script::{Phase, RunScript};
use crate::state::fixtures;

/// The most requests, runs, and batches of each kind that the page shows.
const MAX_SHOWN: usize = 100;

/// The longest body of a request, as JSON, that the page shows.
const MAX_BODY_BYTES: usize = 4096;

/// The field of requests that holds environment variables, whose values are often secret.
const ENV: &str = "envOverrides";

/// Returns everything that the page shows. It counts as no poll.
pub(crate) fn overview(app: &App) -> Value {
    let requests = app.request_log().numbered(MAX_SHOWN);
    let requests: Vec<Value> = requests.into_iter().map(request).collect();
    let faults = fault::describe(&app.faults());
    let request_count = app.request_log().count();
    let tests = fixtures::all().into_iter();
    let tests: Vec<Value> = tests.map(|test| json!([test.id, test.title])).collect();
    let state = app.advanced_state();
    let is_observed = state.is_observed();
    json!({
        "operations": Route::served_operations(is_observed),
        "isObserved": is_observed,
        "tests": tests,
        "collections": fixtures::collections(),
        "nextRuns": state.next_runs.len(),
        "faults": faults,
        "runs": state.run_overviews(MAX_SHOWN),
        "batches": state.batch_overviews(MAX_SHOWN),
        "requestCount": request_count,
        "requests": requests,
    })
}

fn request((number, request): (u64, RecordedRequest)) -> Value {
    let mut body = request.body;
    redact_env(&mut body);
    let size = body.to_string().len();
    if size > MAX_BODY_BYTES {
        body = format!("{size} bytes, too long to show").into();
    }
    json!({
        "number": number,
        "at": request.at.as_secs_f64(),
        "operationId": request.operation_id,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": body,
        "status": request.status,
    })
}

/// Replaces the values of environment variables by `***`, wherever they are in the body, and text
/// that is not JSON as a whole, since it may contain some.
fn redact_env(body: &mut Value) {
    match body {
        Value::String(text) => *text = format!("{} bytes that are not JSON", text.len()),
        body => redact_fields(body),
    }
}

fn redact_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(env) if name == ENV => {
                        env.values_mut().for_each(|value| *value = "***".into());
                    }
                    value if name == ENV => *value = "***".into(),
                    value => redact_fields(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact_fields),
        _ => {}
    }
}

/// Reads the script of a run. A field that is absent has the default of [`RunScript::new`].
pub(crate) fn script(body: &JsonObject) -> Result<RunScript, Rejection> {
    body.check_names(&[
        "endState",
        "failTests",
        "queuedPolls",
        "queuedSeconds",
        "runningPolls",
        "runningSeconds",
        "neverFinishes",
    ])?;
    let mut script = RunScript::new();
    if let Some(tests) = body.identifiers("failTests")?.filter(|ids| !ids.is_empty()) {
        script = script.fail_tests(tests);
    }
    if let Some(state) = body.non_empty_string("endState")? {
        script = script.end_state(state);
    }
    if let Some(phase) = phase(body, "queued")? {
        script = script.queued(phase);
    }
    if let Some(phase) = phase(body, "running")? {
        script = script.running(phase);
    }
    if body.boolean("neverFinishes")? == Some(true) {
        script = script.never_finishes();
    }
    Ok(script)
}

fn phase(body: &JsonObject, name: &str) -> Result<Option<Phase>, Rejection> {
    let polls = number(body, &format!("{name}Polls"), 0)?;
    let time = body.seconds(&format!("{name}Seconds"))?;
    Ok(time.map(Phase::For).or(polls.map(Phase::Polls)))
}

fn number(body: &JsonObject, name: &str, least: u32) -> Result<Option<u32>, Rejection> {
    let number = body.integer_in(name, least.into()..=u32::MAX.into())?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

/// Reads for how long connections are refused.
pub(crate) fn outage(body: &JsonObject) -> Result<Duration, Rejection> {
    body.check_names(&["seconds"])?;
    body.required("seconds", JsonObject::seconds)
}

/// Reads a fault. It applies once to any operation, unless the body says otherwise.
pub(crate) fn fault(body: &JsonObject) -> Result<Fault, Rejection> {
    body.check_names(&[
        "kind",
        "status",
        "headers",
        "body",
        "gzip",
        "fields",
        "seconds",
        "atByte",
        "andHandle",
        "operationId",
        "after",
        "times",
        "always",
        "probability",
        "seed",
    ])?;
    let text = || Ok(body.string("body")?.unwrap_or_default().to_owned());
    let mut fault = match body.required("kind", JsonObject::string)? {
        "status" => {
            let status = |body, name: &str| JsonObject::integer_in(body, name, 200..=599);
            let status = body.required("status", status)?;
            let fault = Fault::status(u16::try_from(status).unwrap_or(500));
            let headers = body.string_fields("headers")?;
            let fault = headers
                .iter()
                .fold(fault, |fault, (name, value)| fault.header(name, value));
            let fault = fault.body(text()?);
            match body.boolean("gzip")? {
                Some(true) => fault.gzip(),
                _ => fault,
            }
        }
        "raw" => Fault::slow_raw(text()?, body.seconds("seconds")?.unwrap_or_default()),
        "fields" => Fault::fields(body.required("fields", JsonObject::any_object)?),
        "delay" => Fault::delay(body.required("seconds", JsonObject::seconds)?),
        "slow-body" => Fault::slow_body(body.required("seconds", JsonObject::seconds)?),
        "hang" => Fault::hang(),
        "reset-before-reading" => Fault::reset_before_reading(),
        "reset-before-handling" => Fault::reset_before_handling(),
        "reset-after-handling" => Fault::reset_after_handling(),
        "reset-in-body" => Fault::reset_in_body(),
        "truncated" => Fault::truncated(),
        _ => {
            let known = "is not one of status, raw, fields, delay, slow-body, hang, \
                         reset-before-reading, reset-before-handling, reset-after-handling, \
                         reset-in-body, truncated";
            return Err(body.invalid("kind", known));
        }
    };
    if let Some(id) = body.string("operationId")? {
        if Route::by_operation(id).is_none() {
            return Err(body.invalid("operationId", "is not an operation of the API"));
        }
        fault = fault.on_operation(id);
    }
    if let Some(at) = number(body, "atByte", 0)? {
        fault = fault.at_byte(usize::try_from(at).unwrap_or(usize::MAX));
    }
    if body.boolean("andHandle")? == Some(true) {
        fault = fault.and_handle();
    }
    if let Some(probability) = body.share("probability")? {
        let seed = body.integer_in("seed", 0..=u64::MAX)?.unwrap_or_default();
        fault = fault.probability(probability, seed);
    }
    if let Some(after) = number(body, "after", 0)? {
        fault = fault.after(after);
    }
    if let Some(times) = number(body, "times", 1)? {
        fault = fault.times(times);
    }
    Ok(match body.boolean("always")? {
        Some(true) => fault.always(),
        _ => fault,
    })
}
