use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api_ext::{
    ErrorKind, Event, HealOptions, Outcome, PrNumber, RunHandle, Started, TestRunId, TryStreamExt,
};
use checksum_mock::{BatchScript, Fault, Mock, RunScript};
use serde_json::json;
use tokio::time::Instant;

use crate::{client_of, scripted};

fn no_pull_request() -> HealOptions {
    HealOptions::no_pull_request()
}

async fn failed_run(mock: &Mock) -> TestRunId {
    mock.next_run(RunScript::new().fail_tests(["test-abc-123", "test-def-456"]));
    let run = client_of(mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    report.test_run_id().expect("a test run").clone()
}

#[tokio::test]
async fn every_member_arrives_and_the_answer_is_kept() {
    let mock = Mock::start().await.expect("a mock");
    let id = failed_run(&mock).await;
    let repo = "acme-co/my-tests".parse().expect("a repository");
    let options = HealOptions::open_pull_request(repo)
        .target_branch("main")
        .report_to(PrNumber::new(42).expect("a number"))
        .metadata("context", "post-deploy healing")
        .extra_field("priority", json!({ "level": 2 }));
    let batch = client_of(&mock)
        .heal(id.clone(), options)
        .await
        .expect("a batch");
    let request = mock.requests().pop().expect("a request");
    assert_eq!(
        request.body,
        json!({
            "testRunId": id, "autoCreatePR": true, "branch": "main", "prNumber": 42,
            "repoName": "acme-co/my-tests", "metadata": { "context": "post-deploy healing" },
            "priority": { "level": 2 },
        })
    );
    assert_eq!(
        (batch.session_ids().len(), batch.failure_count()),
        (2, Some(2))
    );
    assert_eq!(batch.test_ids()[1].as_str(), "test-def-456");

    // Watched, and taken up again by its id.
    let mut sessions = 0;
    let mut events = batch.events();
    while let Some(event) = events.try_next().await.expect("an event") {
        sessions += usize::from(matches!(event, Event::Changed(_)));
    }
    assert!(sessions > 2);
    let resumed = client_of(&mock).resume_heal_batch(batch.id().clone());
    assert!(resumed.start_response().is_none() && resumed.session_ids().is_empty());
    let report = resumed.await.expect("a report");
    assert!(report.is_success());
    assert_eq!(report.test_run_id(), Some(&id));
    assert_eq!(report.pull_requests().count(), 2);
}

#[tokio::test]
async fn no_repository_is_needed_where_no_pull_request_is() {
    let mock = Mock::start().await.expect("a mock");
    let id = failed_run(&mock).await;
    mock.next_heal(BatchScript::new().no_sessions());
    let heal = client_of(&mock).heal(id.clone(), no_pull_request());
    let batch = heal.await.expect("a batch");
    let body = mock.requests().pop().expect("a request").body;
    assert_eq!(body, json!({ "testRunId": id, "autoCreatePR": false }));
    let report = batch.await.expect("a report");
    assert_eq!(report.pull_requests().count(), 0);
}

#[tokio::test]
async fn a_report_heals_its_own_run() {
    let mock = Mock::start().await.expect("a mock");
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let heal = report.heal(no_pull_request()).expect("an id");
    assert!(
        heal.await
            .expect("a batch")
            .await
            .expect("an end")
            .is_success()
    );

    // A run that only v1 knows has no id that healing takes.
    mock.next_run(
        RunScript::new()
            .fail_tests(["test-def-456"])
            .only_api_version("v1"),
    );
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let error = report.heal(no_pull_request()).expect_err("no id");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("test run id is not known"),
        "{error}"
    );
}

#[tokio::test]
async fn healing_is_started_at_most_once() {
    let mock = Mock::start().await.expect("a mock");
    let id = failed_run(&mock).await;
    let count = |mock: &Mock| {
        let requests = mock.requests();
        let heals = requests
            .iter()
            .filter(|r| r.operation_id == Some("trigger_auto_heal"));
        heals.count()
    };
    for fault in [
        Fault::reset_after_handling(),
        Fault::truncated(),
        Fault::status(502),
    ] {
        let before = count(&mock);
        mock.fault(fault.on_operation("trigger_auto_heal"));
        let heal = client_of(&mock).heal(id.clone(), no_pull_request());
        let error = heal.await.expect_err("a failure");
        assert_eq!(error.started(), Started::Maybe, "{error}");
        assert_eq!(count(&mock), before + 1);
    }
    mock.fault(
        Fault::status(429)
            .header("retry-after", "0")
            .on_operation("trigger_auto_heal"),
    );
    let heal = client_of(&mock).heal(id, no_pull_request());
    let batch = heal.await.expect("a batch, at the second attempt");
    assert_eq!(batch.failure_count(), Some(2));
}

#[tokio::test]
async fn a_batch_may_be_unknown_right_after_its_start_and_not_later() {
    let mock = Mock::start().await.expect("a mock");
    let id = failed_run(&mock).await;
    let heal = client_of(&mock).heal(id, no_pull_request());
    let batch = heal.await.expect("a batch");
    mock.fault(Fault::status(404).times(2).on_operation("get_heal_batch"));
    batch.clone().await.expect("borne");

    mock.fault(Fault::status(404).on_operation("get_heal_batch"));
    let resumed = client_of(&mock).resume_heal_batch(batch.id().clone());
    assert!(resumed.await.expect_err("unknown").is_not_found());
}

#[tokio::test]
async fn what_may_be_secret_is_not_printed() {
    let mock = Mock::start().await.expect("a mock");
    let options = no_pull_request()
        .metadata("context", "hunter2")
        .extra_field("token", "hunter3");
    let heal = client_of(&mock).heal("run-id".parse().expect("an id"), options);
    let shown = format!("{heal:?}");
    assert!(
        shown.contains("context") && shown.contains("token"),
        "{shown}"
    );
    assert!(
        !shown.contains("hunter") && !shown.contains(crate::KEY),
        "{shown}"
    );
}

/// A run that gives these states, one to a look, and the last for ever.
fn run_of(states: &'static [&'static str]) -> checksum_api_ext::Checksum {
    let looks = AtomicUsize::new(0);
    scripted::client(move |request| {
        if request.method() == "POST" {
            return scripted::json(200, &json!({ "name": "job" }));
        }
        let look = looks.fetch_add(1, Ordering::Relaxed).min(states.len() - 1);
        let status = json!({ "status": states[look], "testRunId": "run-id" });
        scripted::json(200, &status)
    })
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_looked_at_until_it_is_healed() {
    let checksum = run_of(&["running", "failed", "failed", "running", "healed"]);
    let run = checksum.run_grep("a").auto_heal(no_pull_request());
    let run = run.start().await.expect("a run");
    let report = run.wait_healed(LONG).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Healed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stays_failed_is_reported_so_when_the_time_is_up() {
    let checksum = run_of(&["failed"]);
    let run = checksum.resume_run(RunHandle::new("job".parse().expect("a name")));
    let started = Instant::now();
    let report = run.wait_healed(LONG).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(started.elapsed().as_secs(), 3600);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_stands_where_its_healing_cannot_be_seen() {
    for status in [401, 404, 503] {
        let looks = AtomicUsize::new(0);
        let checksum = scripted::client(move |_| match looks.fetch_add(1, Ordering::Relaxed) {
            0 => scripted::json(200, &json!({ "status": "failed", "testRunId": "run-id" })),
            _ => scripted::json(status, &json!({})),
        });
        let run = checksum.resume_run(RunHandle::new("job".parse().expect("a name")));
        let report = run.wait_healed(LONG).await.expect("a report");
        assert_eq!(report.outcome(), Outcome::Failed, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_is_spent_where_nothing_can_be_healed() {
    let started = Instant::now();
    let run = run_of(&["failed", "healed"])
        .run_grep("a")
        .start()
        .await
        .expect("a run");
    assert_eq!(run.handle().is_healing(), Some(false));
    let report = run.wait_healed(LONG).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
    let run =
        run_of(&["cancelled", "healed"]).resume_run(RunHandle::new("job".parse().expect("a name")));
    let report = run.wait_healed(LONG).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Cancelled);
    assert_eq!(started.elapsed(), Duration::ZERO);
}
