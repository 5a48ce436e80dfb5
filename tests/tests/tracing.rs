//! The spans and events of the client. Their names and fields are stable, and those of
//! OpenTelemetry where it has them.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::JobName;
use checksum_api_ext::{ApiVersion, RunHandle, Started};
use checksum_tests::{FakeResponse, FakeTransport, KEY, snapshot};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Collects every span and event of this workspace with its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "    {field} = {value:?}");
    }
}

impl Lines {
    fn push(&self, title: &str, record: impl FnOnce(&mut Fields<'_>)) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_str(title);
        lines.push('\n');
        record(&mut Fields(&mut lines));
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} span {}", metadata.level(), metadata.name());
            self.push(&title, |fields| attributes.record(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        self.push(&format!("on {name}"), |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} event of {}", metadata.level(), metadata.target());
            self.push(&title, |fields| event.record(fields));
        }
    }
}

/// Collects the spans and events of this thread from now on.
fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    (lines, tracing::subscriber::set_default(subscriber))
}

/// A wait of two polls: a 503, and the end.
#[tokio::test(start_paused = true)]
async fn requests_and_poll_failures() {
    let (lines, _guard) = listen();
    let transport = FakeTransport::in_order([
        FakeResponse::status(503),
        json!({ "status": "passed" }).into(),
    ]);
    let handle =
        RunHandle::new(JobName::new("job").expect("a job name")).pin_api_version(ApiVersion::V1);
    let run = transport.client().resume_run(handle);
    run.await.expect("a report");
    let lines = lines.take();
    assert!(!lines.contains(KEY));
    snapshot!(lines);
}

/// The query of a file's URL, which grants access to it, is redacted.
#[tokio::test]
async fn downloads() {
    let (lines, _guard) = listen();
    let url = "https://files.invalid/report.html?signature=that-must-not-show";
    let transport =
        FakeTransport::in_order([json!({ "url": url }).into(), FakeResponse::status(404)]);
    let test_run = transport
        .client()
        .test_run("run-id".parse().expect("an id"));
    let report = test_run.report().await.expect("a report");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("report.html");
    report.download(path).await.expect_err("there is none");
    let lines = lines.take();
    assert!(!lines.contains("must-not-show"));
    snapshot!(lines);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response() {
    let (lines, _guard) = listen();
    let mock = checksum_mock::Mock::builder().without_socket();
    mock.fault(checksum_mock::Fault::hang().always());
    let checksum = checksum_tests::client_of(&mock);
    let run = checksum.run_suite().start().await;
    assert_eq!(run.expect_err("no response").started(), Started::Maybe);
    let lines = lines.take();
    assert!(lines.contains("error.type = \"timeout\""), "{lines}");
    assert!(lines.contains("reason = \"timeout\""), "{lines}");
}

/// Once for each field, by its name in the document, and without the value.
#[tokio::test]
async fn ignored_fields_are_warned_about_once() {
    let (lines, _guard) = listen();
    let test = |tags| json!({ "checksumTestId": "a", "status": "passed", "tags": tags });
    let response = json!({
        "id": "run-id",
        "status": "passed",
        "branch": { "secret": "that must not show" },
        "tests": [test(json!(7)), test(json!(["smoke", 8])), test(json!(null)), test(json!([]))],
    });
    let client = FakeTransport::always(response).client();
    let results = client.raw().get_test_run_results().id("run-id").execute();
    results.await.expect("results");
    let lines = lines.take();
    let warnings: Vec<&str> = lines.split("WARN event of ").skip(1).collect();
    assert_eq!(warnings.len(), 2, "{lines}");
    for (warning, field) in warnings
        .iter()
        .zip(["TestResult.tags", "TestRunResults.branch"])
    {
        assert!(warning.contains(&format!("field = {field:?}")), "{warning}");
        let message = "message = ignored a field of unexpected type";
        assert!(warning.contains(message), "{warning}");
    }
    assert!(!lines.contains("secret"), "{lines}");
}

#[tokio::test]
async fn null_for_an_optional_list_is_no_warning() {
    let (lines, _guard) = listen();
    let tests = json!([{ "checksumTestId": "a", "status": "passed", "tags": null }]);
    let response = json!({ "id": "run-id", "status": "passed", "tests": tests });
    let client = FakeTransport::always(response).client();
    let results = client.raw().get_test_run_results().id("run-id").execute();
    results.await.expect("results");
    let lines = lines.take();
    assert!(
        lines.contains("DEBUG") && !lines.contains("WARN"),
        "{lines}"
    );
}
