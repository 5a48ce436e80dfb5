//! What each fuzz target checks: a function that takes any bytes, and panics if a property does not
//! hold.
//!
//! cargo-fuzz runs them for minutes. The gate runs them on a few inputs, as the test `fuzz` of
//! `checksum-tests`, so that they compile with a stable compiler and stay true.

#[path = "../../checksum-cli/src/args/env_file.rs"]
mod env_file;
#[path = "../../tests/src/ext_operations.rs"]
pub mod ext_operations;
#[cfg(test)]
mod gate;
#[path = "../../checksum-report/tests/harmless/mod.rs"]
mod harmless;
#[path = "../../tests/src/operations.rs"]
pub mod operations;
mod service;

use std::collections::HashSet;
use std::time::Duration;

use checksum_api::{ErrorKind, OperationId};
use checksum_api_ext::{
    ApiVersion, BaseUrl, BatchHandle, BatchStatus, Checksum, Error, JobName, RunHandle, RunReport,
    TestRunId, Url,
};
use checksum_report::{Report, Status, Test};
use operations::Inputs;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use service::{KEY, MAX_REQUESTS, exchange, response};

/// A base URL is the address of the API, and is read again as the same.
pub fn base_url(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let parsed = text.parse::<BaseUrl>();
    let url = match parsed {
        Ok(url) => url,
        Err(error) => {
            let error = error.to_string();
            let url = Url::parse(text.trim()).ok();
            let password = url.as_ref().and_then(Url::password);
            let is_shown = password.is_some_and(|it| it.len() > 8 && error.contains(it));
            assert!(!is_shown, "{error}");
            return;
        }
    };
    let read: Url = url.as_str().parse().expect("a URL");
    assert!(matches!(read.scheme(), "https" | "http") && read.has_host());
    assert!(read.path().ends_with("/public-api"), "{read}");
    assert!(read.username().is_empty() && read.password().is_none());
    assert_eq!((read.query(), read.fragment()), (None, None));
    assert_eq!(url.as_str().parse(), Ok(url));
}

/// A file of variables has only names and texts, which a file can hold again, or one wrong line.
pub fn env_file(data: &[u8]) {
    match env_file::parse(data) {
        Err((line, _)) => {
            let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
        }
        Ok(variables) => {
            let lines = variables.iter().map(|(name, value)| {
                assert!(env_file::is_name(name), "{name:?}");
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                let value = value.replace('\n', "\\n").replace('\r', "\\r");
                format!("export {name} = \"{value}\" # {name}\r\n")
            });
            let file: String = lines.collect();
            assert_eq!(env_file::parse(file.as_bytes()), Ok(variables), "{file}");
        }
    }
}

/// No id changes which operation is called: it is one segment of the path, and text in a query stays
/// one parameter.
pub fn ids(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (run, test) = match (text.parse::<TestRunId>(), text.parse()) {
        (Ok(run), Ok(test)) => (run, test),
        _ => {
            let is_invalid = |c: char| c == '\\' || c.is_control();
            assert!(matches!(text, "" | "." | "..") || text.contains(is_invalid));
            return;
        }
    };
    let (_, requests) = exchange([response(200, "", b"{}")], async |checksum| {
        let _ = checksum.test_run(run).attachments(test).await;
        let _ = checksum.bugs().search(text).page().await;
    });
    let [attachments, bugs] = &requests[..] else {
        panic!("{requests:?}");
    };
    let segments = attachments.path_segments().expect("segments");
    let segments: Vec<_> = segments
        .map(|segment| percent_decode_str(segment).decode_utf8().expect("text"))
        .collect();
    let place = segments.iter().position(|segment| segment == "test-runs");
    let ours = &segments[place.expect("the operation")..];
    assert_eq!(ours, ["test-runs", text, "tests", text, "attachments"]);
    assert_eq!((attachments.query(), attachments.fragment()), (None, None));
    if !text.trim().is_empty() {
        let pairs: Vec<_> = bugs.query_pairs().collect();
        let searched = pairs.iter().filter(|(name, _)| name == "search");
        assert_eq!(searched.map(|(_, value)| value).collect::<Vec<_>>(), [text]);
    }
}

/// An error keeps the status code and `Retry-After`, and its text is one short line without the key.
/// The input has a line for each: the status code, the header (which is `Location` too), the body.
pub fn errors(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let status = str::from_utf8(next()).ok().and_then(|it| it.parse().ok());
    let status = status.filter(|status| (100..1000).contains(status));
    let (status, header, body) = (status.unwrap_or(503), next(), next());
    let header = String::from_utf8_lossy(header).into_owned();
    let sent = response(status, &header, body);
    let header = sent.headers().get("retry-after").cloned();
    let (result, requests) = exchange([sent], async |checksum| checksum.project().await);
    let Err(error) = result else {
        return assert_eq!(status, 200);
    };
    check_text(&error);
    if requests.len() > 1 {
        return;
    }
    assert_eq!(error.status_code(), Some(status));
    let header = header.as_ref().and_then(|it| it.to_str().ok());
    let header = header.unwrap_or_default().trim();
    match header.parse() {
        Ok(seconds) => assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds))),
        Err(_) if error.retry_after().is_some() => assert!(header.len() > 8, "{header}"),
        Err(_) => {}
    }
}

/// Whatever the raw client decodes, it decodes to the same again after encoding. The first byte names
/// the operation.
pub fn responses(data: &[u8]) {
    let Some((operation, body)) = operation(data) else {
        return;
    };
    let call = |body: &[u8]| {
        let call =
            async |checksum: &Checksum| Inputs::documented().call(checksum.raw(), operation).await;
        exchange([response(200, "", body)], call).0
    };
    match call(body) {
        Ok(value) => {
            let again = call(value.to_string().as_bytes());
            let again = again.unwrap_or_else(|error| panic!("{value}: {error}"));
            assert!(is_same(&value, &again), "{value} {again}");
        }
        Err(error) => {
            let kinds = [ErrorKind::InvalidJson, ErrorKind::UnexpectedBody];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
    }
}

/// No body makes the extension crate panic, or an error's text long. The first byte names the
/// operation.
pub fn ext_responses(data: &[u8]) {
    if let Some((operation, body)) = operation(data) {
        ext_response(operation, body);
    }
}

/// Checks what the extension crate decodes from a body, and returns whether there is something to
/// check. It reads the responses whose form nobody documents with care.
fn ext_response(operation: OperationId, body: &[u8]) -> bool {
    let call = async |checksum: &Checksum| {
        let latest = checksum.latest_test_run();
        let run = checksum.test_run("run".parse().expect("an id"));
        Ok(match operation {
            OperationId::GetTestRunReport => {
                let report = run.report().await?;
                assert!(matches!(report.url().scheme(), "https" | "http"));
                true
            }
            OperationId::GetTestAttachments => {
                let found = run.attachments("test".parse().expect("an id")).await?;
                let names: HashSet<&str> = found.iter().map(|one| one.file_name()).collect();
                assert_eq!(names.len(), found.len(), "{found:?}");
                !names.is_empty()
            }
            OperationId::GetLatestTestRun => {
                !matches!(latest.await?.id().as_str(), "" | "." | "..") || panic!("no id")
            }
            OperationId::ListBugs => !checksum.bugs().page().await?.bugs.is_empty(),
            _ => ext_operations::call(&Inputs::documented(), checksum, operation)
                .await
                .is_ok(),
        })
    };
    let result: Result<bool, Error> = exchange([response(200, "", body)], call).0;
    result.unwrap_or_else(|error| {
        check_text(&error);
        assert_eq!(error.status_code(), Some(200), "{error}");
        if let (None, Ok(body)) = (error.raw(), serde_json::from_slice::<Value>(body)) {
            let kept = error.response_body();
            assert!(kept.is_some_and(|kept| is_same(kept, &body)), "{body}");
        }
        false
    })
}

/// A wait ends, and is a success only if a response says so. The input is a byte for the kind of work,
/// and the responses to one request after the other, with a zero byte between; the last is repeated.
pub fn waits(data: &[u8]) {
    let Some((kind, bodies)) = data.split_first() else {
        return;
    };
    let bodies = bodies.split(|byte| *byte == 0);
    let responses: Vec<_> = bodies.map(|body| response(200, "", body)).collect();
    let is_said = |words: &[&str]| {
        responses.iter().any(|response| {
            // An escape may spell the word.
            let text = String::from_utf8_lossy(response.body()).to_lowercase();
            text.contains('\\') || words.iter().any(|word| text.contains(word))
        })
    };
    let (job, run) = ("job".parse::<JobName>(), "run".parse::<TestRunId>());
    let (job, run) = (job.expect("a name"), run.expect("an id"));
    let handle = match kind % 5 {
        0 => RunHandle::new(job).pin_api_version(ApiVersion::V1),
        1 => RunHandle::new(job),
        2 => RunHandle::from_test_run_id(run),
        kind => {
            let batch = BatchHandle::new("batch".parse().expect("an id"));
            let wait = async |checksum: &Checksum| match kind {
                3 => checksum.resume_heal_batch(batch).await,
                _ => checksum.resume_generation_batch(batch).await,
            };
            let (result, requests) = exchange(responses.clone(), wait);
            assert!(requests.len() < MAX_REQUESTS);
            match result {
                Err(error) => check_text(&error),
                Ok(status) => {
                    let is_success = status.is_success();
                    assert!(!is_success || is_said(&["completed"]), "{status:?}");
                    let stored = serde_json::to_value(&status).expect("JSON");
                    let read: BatchStatus = serde_json::from_value(stored.clone()).expect("read");
                    let read = serde_json::to_value(read).expect("JSON");
                    assert!(is_same(&read, &stored), "{stored}");
                }
            }
            return;
        }
    };
    let wait = async |checksum: &Checksum| checksum.resume_run(handle).await;
    let (result, requests) = exchange(responses.clone(), wait);
    assert!(requests.len() < MAX_REQUESTS);
    match result {
        Err(error) => check_text(&error),
        Ok(report) => {
            let is_success = report.is_success();
            assert!(!is_success || is_said(&["passed", "healed"]), "{report:?}");
            let stored = serde_json::to_string(&report).expect("JSON");
            let read: RunReport = serde_json::from_str(&stored).expect(&stored);
            assert_eq!(read.outcome(), report.outcome(), "{stored}");
            let [read, status] = [&read, &report].map(|it| serde_json::to_value(it.status()));
            assert!(
                is_same(&read.expect("JSON"), &status.expect("JSON")),
                "{stored}"
            );
        }
    }
}

/// Every report can be shown, whatever its texts are; a byte 255 is between them.
pub fn reports(data: &[u8]) {
    let mut texts = data.split(|byte| *byte == 0xff);
    let mut next = || Some(String::from_utf8_lossy(texts.next()?).into_owned());
    let mut report = Report::default();
    (report.state, report.branch, report.job_name) = (next(), next(), next());
    (report.test_run_id, report.reason, report.error) = (next(), next(), next());
    while let (Some(id), Some(title)) = (next(), next()) {
        let status = match next().as_deref() {
            None | Some("") => Status::Failed,
            Some("r") => Status::Recovered,
            Some(other) => Status::Other(other.to_owned()),
        };
        let mut test = Test::new(id, title, status);
        (test.file, test.error, test.health) = (next(), next(), next());
        report.tests.push(test);
    }
    let (mut junit, mut html, mut ctrf) = (Vec::new(), Vec::new(), Vec::new());
    report.write_junit(&mut junit).expect("written");
    report.write_html(&mut html).expect("written");
    report.ctrf().write(&mut ctrf).expect("written");
    serde_json::from_slice::<Value>(&ctrf).expect("JSON");
    for written in [junit, html, ctrf] {
        harmless::assert_harmless(&String::from_utf8(written).expect("text"));
    }
    let budget = data.len();
    for budget in [budget, usize::MAX] {
        let markdown = report.markdown(budget);
        assert!(markdown.len() <= budget);
        harmless::assert_harmless(&markdown);
    }
}

fn operation(data: &[u8]) -> Option<(OperationId, &[u8])> {
    let (index, body) = data.split_first()?;
    let all = OperationId::ALL;
    Some((all[usize::from(*index) % all.len()], body))
}

fn check_text(error: &Error) {
    let text = error.to_string();
    assert!(text.len() < 4096 && !text.contains(KEY), "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Compares JSON. Floats may differ in their last digit, since serde_json's parser may.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (a, b) = (one.as_f64(), other.as_f64());
            let is_near = |(a, b): (f64, f64)| (a - b).abs() <= a.abs() * 1e-14;
            one == other || a.zip(b).is_some_and(is_near)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, a): (&String, _)| other.get(name).is_some_and(|b| is_same(a, b));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}
