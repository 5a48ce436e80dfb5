//! What a service sees of the client through `tracing`: names and fields are stable, and those of
//! OpenTelemetry where it has one.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::types::JobName;
use checksum_api_ext::{ApiVersion, RunHandle};
use checksum_tests::{Answer, Answers};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Writes down every span and event of this workspace with its fields.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "    {field} = {value:?}");
    }
}

impl Notes {
    fn note(&self, title: &str, record: impl FnOnce(&mut Fields<'_>)) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push_str(title);
        notes.push('\n');
        record(&mut Fields(&mut notes));
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} span {}", metadata.level(), metadata.name());
            self.note(&title, |fields| attributes.record(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        self.note(&format!("on {name}"), |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} event of {}", metadata.level(), metadata.target());
            self.note(&title, |fields| event.record(fields));
        }
    }
}

/// Takes notes of what is told in this thread from now on.
fn listen() -> (Notes, tracing::subscriber::DefaultGuard) {
    let notes = Notes::default();
    let subscriber = tracing_subscriber::registry().with(notes.clone());
    (notes, tracing::subscriber::set_default(subscriber))
}

/// A wait that meets trouble and ends: one request that is answered with 503, and one with 200.
#[tokio::test(start_paused = true)]
async fn requests_and_trouble_are_told() {
    let (notes, _guard) = listen();
    let answers = Answers::new([Answer::status(503), json!({ "status": "passed" }).into()]);
    let handle = RunHandle::new(JobName::new("job").expect("a job name")).pin(ApiVersion::V1);
    let run = answers
        .client_with("key-that-nobody-may-see")
        .resume_run(handle);
    run.await.expect("an end");
    let told = notes.take();
    assert!(!told.contains("nobody-may-see"));
    insta::assert_snapshot!(told);
}

/// What grants access to a file is not told.
#[tokio::test]
async fn downloads_are_told() {
    let (notes, _guard) = listen();
    let url = "https://files.invalid/report.html?signature=that-nobody-may-see";
    let answers = Answers::new([json!({ "url": url }).into(), Answer::status(404)]);
    let test_run = answers.client().test_run("run-id".parse().expect("an id"));
    let report = test_run.report().await.expect("a report");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("report.html");
    report.download(path).await.expect_err("there is none");
    let told = notes.take();
    assert!(!told.contains("nobody-may-see"));
    insta::assert_snapshot!(told);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_is_told() {
    let (notes, _guard) = listen();
    let mock = checksum_mock::Mock::builder().without_socket();
    mock.fault(checksum_mock::Fault::hang().always());
    let checksum = checksum_tests::client_of(&mock);
    let run = checksum.run_suite().start().await;
    assert!(run.expect_err("no answer").is_dispatch_uncertain());
    let told = notes.take();
    assert!(told.contains("error.type = \"timeout\""), "{told}");
    assert!(told.contains("reason = \"timeout\""), "{told}");
}

/// Once for each field, by its name in the document, and without the value.
#[tokio::test]
async fn fields_that_are_given_up_are_told() {
    let (notes, _guard) = listen();
    let test = |tags| json!({ "checksumTestId": "a", "status": "passed", "tags": tags });
    let answer = json!({
        "id": "run-id",
        "status": "passed",
        "branch": { "secret": "that nobody may see" },
        "tests": [test(json!(7)), test(json!(["smoke", 8])), test(json!(null)), test(json!([]))],
    });
    let client = Answers::new([answer]).client();
    let results = client.api().get_test_run_results().id("run-id").execute();
    results.await.expect("results");
    let told = notes.take();
    let warnings: Vec<&str> = told.split("WARN event of ").skip(1).collect();
    assert_eq!(warnings.len(), 2, "{told}");
    for (warning, field) in warnings
        .iter()
        .zip(["TestResult.tags", "TestRunResults.branch"])
    {
        assert!(warning.contains(&format!("field = {field:?}")), "{warning}");
        let message = "message = ignored a field of unexpected type";
        assert!(warning.contains(message), "{warning}");
    }
    assert!(!told.contains("secret"), "{told}");
}

/// A field that is null where a list may be missing is nothing to tell.
#[tokio::test]
async fn null_for_an_optional_list_is_not_told() {
    let (notes, _guard) = listen();
    let tests = json!([{ "checksumTestId": "a", "status": "passed", "tags": null }]);
    let answer = json!({ "id": "run-id", "status": "passed", "tests": tests });
    let client = Answers::new([answer]).client();
    let results = client.api().get_test_run_results().id("run-id").execute();
    results.await.expect("results");
    let told = notes.take();
    assert!(told.contains("DEBUG") && !told.contains("WARN"), "{told}");
}
