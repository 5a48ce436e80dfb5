//! The JSON forms of handles, events and reports, which programs in other languages read: each is as
//! its schema says.

use checksum_api_ext::{ApiVersion, JobName, Outcome, TestRunId};
use checksum_api_ext::{
    Attachment, BatchEvent, BatchStatus, BugPage, Checksum, DownloadedFile, Event, Handle,
    HealBatch, HealOptions, HtmlReport, LatestTestRun, PrNumber, Run, RunEvent, RunHandle,
    RunReport, TestRun, TestRunResults, WatchEvent,
};
use checksum_mock::{Fault, Mock, RunScript};
use checksum_tests::{FakeTransport, client_of};
use jsonschema::Validator;
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

#[test]
fn public_values_are_clone_send_and_sync() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Checksum>();
    check::<Run>();
    check::<RunReport>();
    check::<HealBatch>();
    check::<TestRun>();
    fn send<T: Send>(_: T) {}
    let key = "key".parse().expect("a key");
    let checksum = Checksum::builder().api_key(key).build().expect("a client");
    send(checksum.bugs().into_stream());
    let id = TestRunId::new("a").expect("an id");
    send(checksum.heal(id, HealOptions::no_pull_request()).start());
    send(checksum.latest_test_run());
    send(checksum.watch([]));
}

fn validator<T: JsonSchema>() -> Validator {
    let schema = serde_json::to_value(schema_for!(T)).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Returns a value as JSON that is as its schema says.
fn json<T: Serialize + JsonSchema>(value: &T) -> Value {
    let json = serde_json::to_value(value).expect("JSON");
    let errors: Vec<String> = validator::<T>()
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{json:#}: {errors:#?}");
    json
}

#[test]
fn schemas_are_for_readers_who_know_no_rust() {
    for schema in [
        schema_for!(RunHandle),
        schema_for!(Handle),
        schema_for!(WatchEvent),
        schema_for!(RunEvent),
        schema_for!(RunReport),
        schema_for!(BatchEvent),
        schema_for!(BatchStatus),
        schema_for!(TestRunResults),
        schema_for!(LatestTestRun),
        schema_for!(BugPage),
        schema_for!(DownloadedFile),
        schema_for!(HtmlReport),
        schema_for!(Attachment),
    ] {
        let text = serde_json::to_string(&schema).expect("JSON");
        for rust in ["```", "](", "::"] {
            assert!(!text.contains(rust), "{rust} in {text}");
        }
    }
}

/// Negative control: a schema that allows anything would find no error.
#[test]
fn schemas_reject_other_values() {
    for validator in [
        validator::<RunHandle>(),
        validator::<Handle>(),
        validator::<WatchEvent>(),
        validator::<RunEvent>(),
        validator::<RunReport>(),
        validator::<BatchEvent>(),
        validator::<BatchStatus>(),
        validator::<TestRunResults>(),
        validator::<LatestTestRun>(),
        validator::<BugPage>(),
        validator::<DownloadedFile>(),
        validator::<HtmlReport>(),
        validator::<Attachment>(),
    ] {
        for other in [json!(7), json!("text"), json!([])] {
            assert!(!validator.is_valid(&other), "{other}");
        }
    }
}

/// What is read after a run.
#[tokio::test(start_paused = true)]
async fn results_reports_attachments_and_bugs() {
    let mock = Mock::builder().without_socket();
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    json(&run.handle());
    json(&Handle::from(&run));
    let report = run.await.expect("a report");
    let stored = json(&report);
    assert_eq!(stored["outcome"], "failed");
    assert_eq!(stored["isSuccess"], false);
    let stored: RunReport = serde_json::from_value(stored).expect("a report");
    assert_eq!(stored.outcome(), report.outcome());
    assert_eq!(stored.status(), report.status());
    stored.test_run().expect_err("it has no client");
    let latest = checksum.latest_test_run().await.expect("a test run");
    json(&latest);
    let test_run = checksum.test_run(latest.id().clone());
    json(&test_run.results().await.expect("results"));
    json(&test_run.report().await.expect("a report"));
    let test = "test-def-456".parse().expect("an id");
    let attachments = test_run.attachments(test).await;
    let attachments = attachments.expect("attachments");
    assert!(attachments.iter().map(json).count() > 0);
    json(&checksum.bugs().page().await.expect("a page"));
}

#[tokio::test(start_paused = true)]
async fn events_name_their_kind() {
    let mock = Mock::builder().without_socket();
    mock.next_run(
        RunScript::new()
            .queued(0)
            .running(2)
            .fail_tests(["test-def-456"]),
    );
    let run = client_of(&mock)
        .run_grep("checkout")
        .start()
        .await
        .expect("a run");
    mock.fault(
        Fault::status(503)
            .body("{\"message\":\"busy\"}")
            .on_operation("get_run_status_v2"),
    );
    let mut seen = Vec::new();
    let mut events = run.events();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        let json = json(&event);
        match event {
            Event::PollFailed(_) => {
                assert!(
                    json["error"]
                        .as_str()
                        .is_some_and(|text| text.contains("busy"))
                );
                assert!(
                    json["failingForSeconds"].is_number() && json["nextPollInSeconds"].is_number()
                );
            }
            Event::PollRecovered { .. } => assert!(json["afterSeconds"].is_number()),
            Event::Changed { .. } => assert!(json["current"]["state"].is_string()),
            Event::Finished(_) => assert_eq!(json["jobName"], "job-name-12345"),
            _ => {}
        }
        seen.push(json["event"].clone());
    }
    let names: Vec<&str> = seen.iter().filter_map(Value::as_str).collect();
    assert_eq!(
        names,
        [
            "poll-failed",
            "poll-recovered",
            "changed",
            "changed",
            "finished"
        ]
    );

    let latest = client_of(&mock).latest_test_run().await.expect("a run");
    let heal = latest.test_run().heal(HealOptions::no_pull_request());
    let batch = heal.await.expect("a batch");
    let mut events = batch.events();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        let json = json(&event);
        match event {
            Event::Changed { .. } => {
                assert_eq!(json["current"]["batchId"], batch.id().as_str());
            }
            _ => assert_eq!(json["batchId"], batch.id().as_str()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_a_set_name_their_work() {
    let mock = Mock::builder().without_socket();
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    let repo = "acme-co/webapp".parse().expect("a name");
    let batch = checksum
        .generate(repo, PrNumber::new(42).expect("a number"), "branch")
        .start()
        .await;
    let handles = [Handle::from(&run), Handle::from(&batch.expect("a batch"))];
    let mut all = checksum.watch(handles);
    let mut ended = 0;
    while let Some((handle, event)) = all.next().await {
        let event = json(&event.expect("an event"));
        let kind = match handle {
            Handle::Run(_) => "run",
            _ => "batch",
        };
        let status = event.get("current").unwrap_or(&event);
        assert!(status[kind].is_object(), "{event}");
        ended += usize::from(event["event"] == "finished");
    }
    assert_eq!(ended, 2);
}

/// Fields of the service that have the names of this crate's own neither make the report unreadable
/// nor decide what it means.
#[tokio::test(start_paused = true)]
async fn a_report_is_read_back_whatever_fields_the_service_adds() {
    let added = json!({
        "status": "passed", "passed": 0, "failed": 0, "state": 7, "counts": [], "unreadable": 7,
        "allowsNoTests": true, "isJudged": 7, "jobName": 7, "outcome": 7, "isSuccess": true,
        "event": 7, "apiVersion": 7, "more": { "deep": [] },
    });
    let checksum = FakeTransport::always(added).client();
    let job_name: JobName = "job".parse().expect("a name");
    let run = RunHandle::new(job_name.clone()).pin_api_version(ApiVersion::V1);
    let report = checksum.resume_run(run).await.expect("a report");
    assert_eq!(report.status().unknown_fields()["state"], 7);
    let text = serde_json::to_string(&report).expect("JSON");
    let stored: RunReport = serde_json::from_str(&text).expect(&text);
    assert_eq!(stored.outcome(), Outcome::NoTests, "{text}");
    assert_eq!(stored.job_name(), Some(&job_name));
    assert_eq!(
        stored.status().unknown_fields()["more"],
        json!({ "deep": [] })
    );
    assert_eq!(json(&RunEvent::Finished(report))["event"], "finished");
}
