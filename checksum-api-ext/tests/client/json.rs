//! What programs in other languages read: the forms of handles, events and reports.

use checksum_api_ext::{
    Attachment, BatchEvent, BatchStatus, BugPage, Checksum, DownloadedFile, Event, Handle,
    HealBatch, HealOptions, HtmlReport, LatestTestRun, PrNumber, Run, RunEvent, RunHandle,
    RunReport, StreamExt, TestRun, TestRunId, TestRunResults, TryStreamExt, WatchEvent,
};
use checksum_mock::{Fault, Mock, RunScript};
use serde_json::Value;

use crate::client_of;

#[test]
fn clients_and_what_they_give_go_anywhere() {
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

#[test]
fn every_form_has_a_schema() {
    let schemas = [
        (schemars::schema_for!(RunHandle), "jobName"),
        (schemars::schema_for!(Handle), "healBatch"),
        (schemars::schema_for!(WatchEvent), "poll-failed"),
        (schemars::schema_for!(RunEvent), "poll-failed"),
        (schemars::schema_for!(RunReport), "isSuccess"),
        (schemars::schema_for!(BatchEvent), "poll-failed"),
        (schemars::schema_for!(BatchStatus), "sessions"),
        (schemars::schema_for!(TestRunResults), "tests"),
        (schemars::schema_for!(LatestTestRun), "branch"),
        (schemars::schema_for!(BugPage), "hasMore"),
        (schemars::schema_for!(DownloadedFile), "contentType"),
        (schemars::schema_for!(HtmlReport), "url"),
        (schemars::schema_for!(Attachment), "fileName"),
    ];
    for (schema, name) in schemas {
        let text = serde_json::to_string(&schema).expect("JSON");
        assert!(text.contains(&format!("\"{name}\"")), "{name}: {text}");
        for rust in ["```", "](", "::"] {
            assert!(
                !text.contains(rust),
                "people read it who know no Rust: {text}"
            );
        }
    }
}

#[tokio::test]
async fn events_are_objects_that_name_themselves() {
    let mock = Mock::start().await.expect("a mock");
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
    while let Some(event) = events.try_next().await.expect("an event") {
        let json = serde_json::to_value(&event).expect("JSON");
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
            Event::Changed(_) => assert!(json["status"]["state"].is_string()),
            Event::Finished(report) => {
                assert_eq!(json["jobName"], "job-name-12345");
                assert_eq!(
                    (&json["outcome"], &json["isSuccess"]),
                    (&"failed".into(), &false.into())
                );
                let stored: RunReport = serde_json::from_value(json.clone()).expect("a report");
                assert_eq!(stored.outcome(), report.outcome());
                assert_eq!(stored.status(), report.status());
                stored.test_run().expect_err("it has no client");
            }
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
    while let Some(event) = events.try_next().await.expect("an event") {
        let json = serde_json::to_value(&event).expect("JSON");
        match event {
            Event::Changed(_) => {
                assert!(["state", "session"].contains(&json["change"].as_str().expect("a word")))
            }
            _ => assert_eq!(json["batchId"], batch.id().as_str()),
        }
    }
}

#[tokio::test]
async fn events_of_many_say_what_they_are_of() {
    let mock = Mock::start().await.expect("a mock");
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
        let event = serde_json::to_value(event.expect("an event")).expect("JSON");
        let kind = match handle {
            Handle::Run(_) => "run",
            _ => "batch",
        };
        assert!(event[kind].is_object(), "{event}");
        ended += usize::from(event["event"] == "finished");
    }
    assert_eq!(ended, 2);
}
