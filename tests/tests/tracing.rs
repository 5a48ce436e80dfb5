//! The spans and events of the client. Their names and fields are stable, and those of
//! OpenTelemetry where it has them.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checksum_api_ext::{
    ApiVersion, Event as WaitEvent, Handle, JobName, PollPolicy, PrNumber, RetryPolicy, Run,
    RunHandle, Started,
};
use checksum_mock::BatchScript;
use checksum_tests::{FakeResponse, FakeTransport, KEY, Script, snapshot};
use http::HeaderValue;
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
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target().starts_with("checksum") {
            let parent = context.span(id).and_then(|span| span.parent());
            let place = parent.map_or(String::new(), |parent| format!(" in {}", parent.name()));
            let title = format!("{} span {}{place}", metadata.level(), metadata.name());
            self.push(&title, |fields| attributes.record(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        self.push(&format!("on {name}"), |fields| values.record(fields));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let name = context.span(&id).map_or("", |span| span.name());
        self.push(&format!("close {name}"), |_| {});
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("checksum") {
            let span = context.event_span(event);
            let place = span.map_or(String::new(), |span| format!(" in {}", span.name()));
            let title = format!("{} event of {}{place}", metadata.level(), metadata.target());
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

/// The first request gets no connection, and the second one succeeds.
#[tokio::test(start_paused = true)]
async fn starts() {
    let (lines, _guard) = listen();
    let transport = FakeTransport::in_order([
        FakeResponse::not_sent(),
        json!({ "name": "job" }).into(),
        FakeResponse::status(503),
        FakeResponse::status(400),
    ]);
    let builder = transport
        .builder()
        .retry_policy(RetryPolicy::default().initial_delay(Duration::ZERO));
    let checksum = builder.build().expect("a client");
    let run = checksum.run_suite().start().await;
    let _not_awaited = run.expect("a run");
    snapshot!(lines.take());
    for (started, outcome, error_type) in [
        (Started::Maybe, "may-have-started", "MayHaveStarted"),
        (Started::No, "not-started", "Rejected"),
    ] {
        let run = checksum.run_suite().start().await;
        assert_eq!(run.expect_err("no run").started(), started);
        let lines = lines.take();
        assert!(lines.contains("checksum.sends = 1"), "{lines}");
        let recorded = format!("checksum.outcome = {outcome:?}");
        assert!(lines.contains(&recorded), "{lines}");
        let recorded = format!("error.type = {error_type}");
        assert!(lines.contains(&recorded), "{lines}");
    }
}

/// Returns the end of a wait of three polls, the second of which fails.
async fn end_of_wait(wait: impl AsyncFnOnce(Run)) -> String {
    let (lines, _guard) = listen();
    let running = || FakeResponse::from(json!({ "status": "running" }));
    let transport = FakeTransport::in_order([running(), FakeResponse::status(503), running()]);
    let handle = RunHandle::new(JobName::new("job").expect("a job name"));
    let run = transport.client().resume_run(handle);
    wait(run).await;
    let lines = lines.take();
    let (_, end) = lines
        .rsplit_once("event of checksum_api in checksum.request\n")
        .expect("a response");
    let (_, end) = end.split_once("close checksum.request\n").expect("its end");
    end.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_says_so() {
    let end = end_of_wait(async |run| {
        let limited = tokio::time::timeout(Duration::from_secs(25), run.wait());
        limited.await.expect_err("the run goes on");
    });
    let end = end.await;
    snapshot!(end);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_fails_names_the_kind_of_error() {
    let end = end_of_wait(async |run| {
        let policy = PollPolicy::fixed(Duration::from_secs(10)).deadline(Duration::from_secs(25));
        let wait = run.with_poll_policy(policy).wait();
        wait.await.expect_err("the run goes on");
    });
    let end = end.await;
    snapshot!(end);
}

/// Each closes with the end of its own work, or when that is removed, while the set goes on.
#[tokio::test(start_paused = true)]
async fn each_work_of_a_set_has_a_span() {
    let (lines, _guard) = listen();
    let transport = FakeTransport::new(|request| {
        let passes = request.path.ends_with("/passes");
        json!({ "status": if passes { "passed" } else { "running" } }).into()
    });
    let handles = ["passes", "goes-on", "is-removed"].map(|name| {
        let name = JobName::new(name).expect("a job name");
        Handle::from(RunHandle::new(name).pin_api_version(ApiVersion::V1))
    });
    let mut set = transport.client().watch(handles.clone());
    let mut ends = Vec::new();
    while ends.is_empty() {
        if let Some((handle, Ok(WaitEvent::Finished(_)))) = set.next().await {
            ends.push(handle);
        }
    }
    assert_eq!(ends[0], handles[0]);
    set.remove(&handles[2]);
    let ended = lines.take();
    assert_eq!(ended.matches("close checksum.wait").count(), 2, "{ended}");
    for (outcome, count) in [("passed", 1), ("dropped", 1)] {
        let recorded = format!("checksum.outcome = {outcome:?}");
        assert_eq!(ended.matches(&recorded).count(), count, "{ended}");
    }
    drop(set);
    let dropped = lines.take();
    assert_eq!(
        dropped.matches("close checksum.wait").count(),
        1,
        "{dropped}"
    );
}

/// Only the two headers of W3C, and only where the key goes too.
#[tokio::test]
async fn the_trace_context_is_sent_to_the_own_origin_only() {
    let (_lines, _guard) = listen();
    let address = |url: &'static str| FakeResponse::from(json!({ "url": url }));
    let transport = FakeTransport::new(move |request| match request.path.as_str() {
        "/v1/test-runs/own/report" => address("https://checksum.invalid/files/own"),
        "/v1/test-runs/other/report" => address("https://files.invalid/other"),
        "/files/own" => FakeResponse::status(302).header("location", "https://files.invalid/moved"),
        _ => FakeResponse::status(200).body("a report"),
    });
    let client = transport.builder().trace_context(|headers| {
        let span = tracing::Span::current();
        let name = span.metadata().map_or("none", |metadata| metadata.name());
        for header in [
            "traceparent",
            "tracestate",
            "baggage",
            "authorization",
            "Traceparent",
        ] {
            headers.insert(header.to_owned(), name.to_owned());
        }
    });
    let client = client.build().expect("a client");
    let directory = tempfile::tempdir().expect("a directory");
    for id in ["own", "other"] {
        let test_run = client.test_run(id.parse().expect("an id"));
        let report = test_run.report().await.expect("a report");
        report
            .download(directory.path().join(id))
            .await
            .expect("saved");
    }
    for request in transport.log() {
        let own = request.url.host_str() == Some("checksum.invalid");
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .map(|value: &HeaderValue| value.to_str().unwrap_or_default())
        };
        let span = match request.path.starts_with("/files") {
            true => "checksum.download",
            false => "checksum.request",
        };
        let sent = own.then_some(span);
        assert_eq!(header("traceparent"), sent, "{request:?}");
        assert_eq!(header("tracestate"), sent, "{request:?}");
        assert_eq!(header("baggage"), None, "{request:?}");
        let key = format!("Bearer {KEY}");
        let key = own.then_some(key.as_str());
        assert_eq!(header("authorization"), key, "{request:?}");
    }
    assert_eq!(transport.log().len(), 5);
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

/// Polls a run that failed until it is healed, within a minute. All other routes respond with `other`.
async fn lines_of_wait_healed(other: u16, statuses: Script) -> String {
    let (lines, _guard) = listen();
    let transport = FakeTransport::by_path([
        ("/v2/execution/status/job", statuses),
        (
            "/v1/execution/status/run/run-id",
            Script::always(FakeResponse::status(other)),
        ),
    ]);
    let handle = RunHandle::new(JobName::new("job").expect("a job name"));
    let policy = PollPolicy::fixed(Duration::from_secs(10)).error_timeout(Duration::from_secs(20));
    let run = transport
        .client()
        .resume_run(handle)
        .with_poll_policy(policy);
    let report = run.wait_healed(Duration::from_secs(60)).await;
    assert_eq!(report.expect("a report").state().as_str(), "failed");
    lines.take()
}

/// The service need not have the observed route, and a run need not be healed.
#[tokio::test(start_paused = true)]
async fn what_a_wait_for_healing_expects_is_no_warning() {
    let failed = || json!({ "status": "failed", "testRunId": "run-id" });
    let lines = lines_of_wait_healed(404, Script::always(failed())).await;
    assert!(
        lines.contains("message = the end is not confirmed"),
        "{lines}"
    );
    assert!(!lines.contains("WARN"), "{lines}");
    // Both waits are of one run.
    assert_eq!(
        lines.matches("checksum.handle = \"run:job\"").count(),
        2,
        "{lines}"
    );
    let lines = lines_of_wait_healed(500, Script::always(failed())).await;
    assert!(lines.contains("WARN"), "{lines}");
    let rejected = Script::in_order([failed()]).then_always(FakeResponse::status(503));
    let lines = lines_of_wait_healed(404, rejected).await;
    assert!(lines.contains("polling for `healed` failed"), "{lines}");
    assert!(lines.contains("healing of run"), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_batch_ends_with_its_state() {
    let mock = checksum_mock::Mock::builder().without_socket();
    let checksum = checksum_tests::client_of(&mock);
    let (lines, _guard) = listen();
    let number = PrNumber::new(42).expect("a number");
    let repo = || "acme-co/webapp".parse().expect("a repository");
    for script in [BatchScript::new(), BatchScript::new().fail_all()] {
        mock.next_generation(script);
        let batch = checksum.generate(repo(), number.clone(), "b").start().await;
        let batch = batch.expect("a batch");
        lines.take();
        let report = batch.clone().await.expect("a report");
        let alone = lines.take();
        let mut set = checksum.watch([Handle::from(&batch)]);
        while set.next().await.is_some() {}
        let key = Handle::from(&batch).to_string();
        for lines in [alone, lines.take()] {
            for recorded in [
                format!("checksum.handle = {key:?}"),
                format!("checksum.outcome = {:?}", report.state().to_string()),
            ] {
                assert_eq!(lines.matches(&recorded).count(), 1, "{recorded} in {lines}");
            }
        }
    }
}
