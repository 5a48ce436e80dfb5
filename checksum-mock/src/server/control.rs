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
        "faultKinds": fault_kinds(),
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

/// Reads the fault of one kind, without what every kind takes.
type ReadFault = fn(&JsonObject) -> Result<Fault, Rejection>;

/// The kinds of faults: the name, the words of the page, the fields that not every kind takes, and how
/// they are read. The page offers each.
const FAULT_KINDS: [(&str, &str, &[&str], ReadFault); 11] = [
    (
        "status",
        "respond with a status code",
        &["status", "headers", "body", "gzip", "andHandle"],
        respond,
    ),
    (
        "raw",
        "write bytes that need not be HTTP",
        &["body", "seconds", "andHandle"],
        |body| {
            Ok(Fault::slow_raw(
                text(body)?,
                body.seconds("seconds")?.unwrap_or_default(),
            ))
        },
    ),
    (
        "fields",
        "change fields of the response",
        &["fields"],
        |body| {
            Ok(Fault::fields(
                body.required("fields", JsonObject::any_object)?,
            ))
        },
    ),
    ("delay", "respond late", &["seconds"], |body| {
        Ok(Fault::delay(body.required("seconds", JsonObject::seconds)?))
    }),
    (
        "slow-body",
        "send the body byte by byte",
        &["seconds"],
        |body| {
            Ok(Fault::slow_body(
                body.required("seconds", JsonObject::seconds)?,
            ))
        },
    ),
    ("hang", "never respond", &["andHandle"], |_| {
        Ok(Fault::hang())
    }),
    (
        "reset-before-reading",
        "reset the connection before the request is read",
        &["andHandle"],
        |_| Ok(Fault::reset_before_reading()),
    ),
    (
        "reset-before-handling",
        "reset the connection before the request takes effect",
        &[],
        |_| Ok(Fault::reset_before_handling()),
    ),
    (
        "reset-after-handling",
        "reset the connection after the request took effect",
        &[],
        |_| Ok(Fault::reset_after_handling()),
    ),
    (
        "reset-in-body",
        "reset the connection in the body",
        &["atByte"],
        |body| at_byte(Fault::reset_in_body(), body),
    ),
    ("truncated", "truncate the body", &["atByte"], |body| {
        at_byte(Fault::truncated(), body)
    }),
];

/// The fields that every kind takes.
const FAULT_FIELDS: [&str; 7] = [
    "kind",
    "operationId",
    "after",
    "times",
    "always",
    "probability",
    "seed",
];

fn fault_kinds() -> Vec<Value> {
    let kinds = FAULT_KINDS.iter();
    kinds
        .map(|(name, label, fields, _)| json!({ "name": name, "label": label, "fields": fields }))
        .collect()
}

fn text(body: &JsonObject) -> Result<String, Rejection> {
    Ok(body.string("body")?.unwrap_or_default().to_owned())
}

fn respond(body: &JsonObject) -> Result<Fault, Rejection> {
    let status = |body, name: &str| JsonObject::integer_in(body, name, 200..=599);
    let status = body.required("status", status)?;
    let fault = Fault::status(u16::try_from(status).unwrap_or(500));
    let headers = body.string_fields("headers")?;
    let headers = headers.iter();
    let fault = headers.fold(fault, |fault, (name, value)| fault.header(name, value));
    let fault = fault.body(text(body)?);
    Ok(match body.boolean("gzip")? {
        Some(true) => fault.gzip(),
        _ => fault,
    })
}

fn at_byte(fault: Fault, body: &JsonObject) -> Result<Fault, Rejection> {
    let at = number(body, "atByte", 0)?;
    Ok(at.map_or(fault.clone(), |at| {
        fault.at_byte(usize::try_from(at).unwrap_or(usize::MAX))
    }))
}

/// Reads a fault. It applies once to any operation, unless the body says otherwise.
pub(crate) fn fault(body: &JsonObject) -> Result<Fault, Rejection> {
    let kind = body.required("kind", JsonObject::string)?;
    let Some((_, _, fields, read)) = FAULT_KINDS.iter().find(|(name, ..)| *name == kind) else {
        let known: Vec<&str> = FAULT_KINDS.iter().map(|(name, ..)| *name).collect();
        return Err(body.invalid("kind", &format!("is not one of {}", known.join(", "))));
    };
    body.check_names(&[&FAULT_FIELDS[..], fields].concat())?;
    let mut fault = read(body)?;
    if let Some(id) = body.string("operationId")? {
        if Route::by_operation(id).is_none() {
            return Err(body.invalid("operationId", "is not an operation of the API"));
        }
        fault = fault.on_operation(id);
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

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::fault::FaultKind;

    /// The compiler names this function when there is a new kind.
    fn number_of(kind: &FaultKind) -> usize {
        match kind {
            FaultKind::Respond { .. } => 0,
            FaultKind::Raw { .. } => 1,
            FaultKind::Fields(_) => 2,
            FaultKind::Delay(_) => 3,
            FaultKind::SlowBody(_) => 4,
            FaultKind::ResetBeforeReading => 5,
            FaultKind::Reset => 6,
            FaultKind::Cut { .. } => 7,
            FaultKind::Hang => 8,
        }
    }

    #[test]
    fn each_kind_of_fault_can_be_injected_over_http() {
        let mut missing: Vec<usize> = (0..=8).collect();
        for (name, _, fields, _) in &FAULT_KINDS {
            let given = json!({ "kind": name, "status": 500, "seconds": 1, "fields": {} });
            let mut given = given.as_object().cloned().unwrap_or_default();
            given.retain(|field, _| field == "kind" || fields.contains(&&**field));
            let json = HeaderValue::from_static("application/json");
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
            let body = JsonObject::parse(&headers, Value::from(given).to_string().as_bytes());
            let fault = body.and_then(|body| fault(&body)).map_err(|_| name);
            let fault = fault.expect("a fault");
            missing.retain(|number| *number != number_of(&fault.kind));
        }
        assert!(
            missing.is_empty(),
            "no kind of FAULT_KINDS makes {missing:?}"
        );
    }
}
