//! What programs in other languages read: the forms of handles, events and reports.

use checksum_api_ext::types::TestRunId;
use checksum_api_ext::{
    Attachment, BatchEvent, BatchStatus, BugPage, Checksum, DownloadedFile, Event, Handle,
    HealBatch, HtmlReport, LatestTestRun, Results, Run, RunEvent, RunHandle, RunReport, StreamExt,
    TestRun, TryStreamExt, WatchEvent,
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
    send(checksum.bugs().stream());
    send(checksum.heal(TestRunId::new("a").expect("an id")).start());
    send(checksum.latest_test_run());
    send(checksum.watch([]));
}

#[test]
fn every_form_has_a_schema() {
    let schemas = [
        schemars::schema_for!(RunHandle),
        schemars::schema_for!(Handle),
        schemars::schema_for!(WatchEvent),
        schemars::schema_for!(RunEvent),
        schemars::schema_for!(RunReport),
        schemars::schema_for!(BatchEvent),
        schemars::schema_for!(BatchStatus),
        schemars::schema_for!(Results),
        schemars::schema_for!(LatestTestRun),
        schemars::schema_for!(BugPage),
        schemars::schema_for!(DownloadedFile),
        schemars::schema_for!(HtmlReport),
        schemars::schema_for!(Attachment),
    ];
    for schema in schemas {
        let text = serde_json::to_string(&schema).expect("JSON");
        assert!(
            text.contains("\"type\":") || text.contains("\"oneOf\":"),
            "{text}"
        );
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
            Event::Finished(_) => assert_eq!(json["jobName"], "job-name-12345"),
            _ => {}
        }
        seen.push(json["event"].clone());
    }
    let names: Vec<&str> = seen.iter().filter_map(Value::as_str).collect();
    assert_eq!(
        names,
        ["trouble", "recovered", "changed", "changed", "finished"]
    );

    let batch = client_of(&mock).heal(
        client_of(&mock)
            .latest_test_run()
            .await
            .expect("a run")
            .id()
            .clone(),
    );
    let batch = batch.without_pull_request().await.expect("a batch");
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
    let batch = checksum.generate(repo, 42, "branch").start().await;
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
