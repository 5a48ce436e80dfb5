//! Batches of healing and generation: what a start returns, that it is sent at most once, and when
//! a batch may be unknown.

use std::time::Duration;

use checksum_api_ext::{BatchId, TestRunId};
use checksum_api_ext::{
    Checksum, Error, Event, Handle, HealBatch, HealOptions, PollPolicy, PrNumber, Started,
};
use checksum_mock::{BatchScript, Fault, Mock, RunScript};
use checksum_tests::{FakeResponse, FakeTransport, Script, client_of};
use serde_json::json;

fn mock() -> Mock {
    Mock::builder().without_socket()
}

async fn failed_run(mock: &Mock, checksum: &Checksum) -> TestRunId {
    mock.next_run(RunScript::new().fail_tests(["test-abc-123", "test-def-456"]));
    let run = checksum.run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    report.test_run_id().expect("a test run").clone()
}

async fn heal(checksum: &Checksum, id: &TestRunId) -> Result<HealBatch, Error> {
    let options = HealOptions::no_pull_request();
    checksum.heal(id.clone(), options).start().await
}

#[tokio::test(start_paused = true)]
async fn healing_returns_the_sessions_and_can_be_resumed_by_its_id() {
    let mock = mock();
    let checksum = client_of(&mock);
    let id = failed_run(&mock, &checksum).await;
    let repo = "acme-co/my-tests".parse().expect("a repository");
    let options = HealOptions::open_pull_request(repo);
    let batch = checksum.heal(id.clone(), options).start().await;
    let batch = batch.expect("a batch");
    let response = batch.start_response().expect("a response");
    assert_eq!(response.status, 200);
    assert!(!response.body.is_empty());
    assert_eq!(batch.session_ids().len(), 2);
    assert_eq!(batch.failure_count(), Some(2));
    assert_eq!(batch.test_ids()[1].as_str(), "test-def-456");

    let mut changes = 0;
    let mut events = batch.events();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        if let Event::Changed { previous, current } = event {
            changes += current.changed_sessions(previous.as_ref()).count();
        }
    }
    assert!(changes > 2);
    let resumed = checksum.resume_heal_batch(batch.id().clone());
    assert!(resumed.start_response().is_none() && resumed.session_ids().is_empty());
    let report = resumed.await.expect("a report");
    assert!(report.is_success());
    assert_eq!(report.test_run_id(), Some(&id));
    assert_eq!(report.pull_requests().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn generation_returns_the_session_and_can_be_resumed_by_its_id() {
    let mock = mock();
    let checksum = client_of(&mock);
    let repo = "acme-co/webapp".parse().expect("a repository");
    let batch = checksum
        .generate(repo, PrNumber::new(42).expect("a number"), "b")
        .start()
        .await;
    let batch = batch.expect("a batch");
    let session = batch.session_id().expect("a session");
    let page = batch.session_url().expect("a page");
    assert!(page.ends_with(session.as_str()), "{page}");

    let resumed = checksum.resume_generation_batch(batch.id().clone());
    assert!(resumed.session_id().is_none() && resumed.session_url().is_none());
    let report = resumed.await.expect("a report");
    assert_eq!(report.pull_requests().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_heals_its_own_run() {
    let mock = mock();
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let batch = report
        .heal(HealOptions::no_pull_request())
        .expect("an id")
        .start()
        .await;
    let end = batch.expect("a batch").await.expect("a report");
    assert!(end.is_success());
    assert_eq!(end.test_run_id(), report.test_run_id());
}

/// Over a socket, since only a connection can be reset.
#[tokio::test]
async fn batches_are_started_at_most_once() {
    let mock = Mock::start().await.expect("a mock");
    let checksum = Checksum::builder()
        .api_key("key".parse().expect("a key"))
        .base_url(mock.url().parse().expect("a URL"))
        .poll_policy(PollPolicy::fixed(Duration::ZERO))
        .build()
        .expect("a client");
    let id = failed_run(&mock, &checksum).await;
    for fault in [
        Fault::reset_after_handling(),
        Fault::truncated(),
        Fault::status(502),
    ] {
        mock.fault(fault.clone().on_operation("trigger_auto_heal"));
        mock.fault(fault.on_operation("trigger_auto_generate"));
        let before = mock.request_count();
        let error = heal(&checksum, &id).await.expect_err("a failure");
        assert_eq!(error.started(), Started::Maybe, "{error}");
        assert_eq!(mock.request_count(), before + 1);
        let repo = "acme-co/webapp".parse().expect("a repository");
        let error = checksum
            .generate(repo, PrNumber::new(1).expect("a number"), "main")
            .start()
            .await;
        let error = error.expect_err("a failure");
        assert_eq!(error.started(), Started::Maybe, "{error}");
        assert_eq!(mock.request_count(), before + 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limited_start_is_sent_again() {
    let mock = mock();
    let checksum = client_of(&mock);
    let id = failed_run(&mock, &checksum).await;
    let busy = Fault::status(429).header("retry-after", "0");
    mock.fault(busy.on_operation("trigger_auto_heal"));
    let batch = heal(&checksum, &id).await.expect("a batch");
    assert_eq!(batch.failure_count(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_batch_may_be_unknown_right_after_its_start_and_not_later() {
    let mock = mock();
    let checksum = client_of(&mock);
    let id = failed_run(&mock, &checksum).await;
    let batch = heal(&checksum, &id).await.expect("a batch");
    mock.fault(Fault::status(404).times(2).on_operation("get_heal_batch"));
    batch.clone().await.expect("a report");

    mock.fault(Fault::status(404).on_operation("get_heal_batch"));
    let resumed = checksum.resume_heal_batch(batch.id().clone());
    assert!(resumed.await.expect_err("unknown").is_not_found());

    mock.next_generation(BatchScript::new().fail_all());
    let repo = "acme-co/webapp".parse().expect("a repository");
    let batch = checksum
        .generate(repo, PrNumber::new(1).expect("a number"), "b")
        .start()
        .await;
    mock.fault(Fault::status(404).on_operation("get_generation_batch"));
    let report = batch.expect("a batch").await.expect("a report");
    assert!(!report.is_success());
    assert_eq!(report.pull_requests().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_wait_names_the_kind_and_the_id() {
    let transport = FakeTransport::always(FakeResponse::status(503));
    let policy = PollPolicy::fixed(Duration::from_secs(1)).error_timeout(Duration::ZERO);
    let checksum = transport.builder().poll_policy(policy).build();
    let checksum = checksum.expect("a client");
    for (key, name) in [
        ("heal-batch:b", "healing batch b"),
        ("generation-batch:b", "generation batch b"),
        ("run:b", "run b"),
        ("test-run:b", "test run b"),
    ] {
        let mut set = checksum.watch([key.parse::<Handle>().expect("a handle")]);
        let mut last = None;
        while let Some(item) = set.next().await {
            last = Some(item);
        }
        let (handle, event) = last.expect("an event");
        let error = event.expect_err("the service is down");
        assert_eq!(handle.to_string(), key);
        assert_eq!(error.handle_key(), Some(key));
        let expected = format!("polling {name} failed for ");
        assert!(error.to_string().starts_with(&expected), "{error}");
        let alone = match handle {
            Handle::Run(run) => checksum.resume_run(run).await.expect_err("down"),
            Handle::HealBatch(batch) => checksum.resume_heal_batch(batch).await.expect_err("down"),
            Handle::GenerationBatch(batch) => {
                let wait = checksum.resume_generation_batch(batch);
                wait.await.expect_err("down")
            }
        };
        assert_eq!(alone.to_string(), error.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_changes_with_its_state_alone_and_the_last_state_is_named_at_the_deadline() {
    let batch = |state| {
        json!({ "batchId": "b", "status": state, "totalSessions": 1, "completedCount": 0,
                "failedCount": 0, "allTerminal": false, "sessions": [] })
    };
    let script = Script::in_order(["pending", "pending"].map(batch));
    let transport = FakeTransport::from(script.then_always(batch("in_progress")));
    let policy = PollPolicy::fixed(Duration::from_secs(10)).deadline(Duration::from_secs(60));
    let checksum = transport.builder().poll_policy(policy).build();
    let id: BatchId = "b".parse().expect("an id");
    let checksum = checksum.expect("a client");
    let batch = checksum.resume_heal_batch(id);
    let mut set = checksum.watch([Handle::from(&batch)]);
    let mut states = Vec::new();
    let error = loop {
        let (_, event) = set.next().await.expect("no end without an error");
        match event {
            Ok(Event::Changed { current, .. }) => states.push(current.state().to_owned()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(states, ["pending", "in_progress"]);
    assert!(error.is_deadline_exceeded(), "{error}");
    assert!(
        error.to_string().contains("last seen in_progress"),
        "{error}"
    );
}
