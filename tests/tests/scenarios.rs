//! Whole scenarios against the mock server: every request with its time, and how they end.

use std::time::Duration;

use checksum_api_ext::{
    BatchId, BatchStatus, Checksum, ErrorKind, Event, HealBatch, HealOptions, PrNumber,
};
use checksum_mock::{BatchScript, Mock, RunScript};
use checksum_tests::{client_of, snapshot};

const MINUTE: Duration = Duration::from_secs(60);

fn mock() -> Mock {
    Mock::builder().without_socket()
}

/// Returns the requests so far: a line for those that follow each other with the same method and
/// path, with the second of each.
fn timeline(mock: &Mock) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for request in mock.requests() {
        let second = request.at.as_secs();
        let path = request.path.trim_start_matches("/public-api").to_owned();
        let name = format!("{} {path}", request.method);
        match lines.last_mut() {
            Some(line) if last.as_ref() == Some(&name) => line.push_str(&format!(" {second}")),
            _ => lines.push(format!("{name}: {second}")),
        }
        last = Some(name);
    }
    lines.join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_and_its_healing() {
    let mock = mock();
    mock.next_run(
        RunScript::new()
            .queued(MINUTE / 3)
            .running(5 * MINUTE)
            .fail_tests(["test-def-456"]),
    );
    mock.next_heal(BatchScript::new().pending(MINUTE).session(2 * MINUTE));
    let checksum = client_of(&mock);
    let heal = HealOptions::open_pull_request("acme-co/my-tests".parse().expect("a name"))
        .target_branch("main");
    let batch = failed_run_to_heal(&mock, &checksum, heal).await;
    let batch = batch.await.expect("an end");
    assert!(batch.is_success());
    let url = batch.sessions()[0]
        .pr_url
        .as_deref()
        .expect("a pull request");
    assert!(
        url.starts_with("https://github.com/acme-co/my-tests/pull/"),
        "{url}"
    );
    snapshot!(timeline(&mock));
}

#[tokio::test(start_paused = true)]
async fn a_run_of_six_minutes() {
    let mock = mock();
    mock.next_run(RunScript::new().queued(MINUTE / 4).running(6 * MINUTE));
    let run = client_of(&mock)
        .run_grep("checkout")
        .start()
        .await
        .expect("a run");
    let report = run.await.expect("an end");
    assert!(report.test_run_id().is_some());
    snapshot!(timeline(&mock));
}

/// Runs a suite that fails, and returns the healing that it started by itself.
async fn failed_run_to_heal(mock: &Mock, checksum: &Checksum, heal: HealOptions) -> HealBatch {
    let run = checksum.run_suite().auto_heal(heal).start().await;
    let report = run.expect("a run").await.expect("an end");
    assert!(!report.outcome().is_success());
    let id = BatchId::new(&mock.heal_batches()[0]).expect("an id");
    checksum.resume_heal_batch(id)
}

#[tokio::test(start_paused = true)]
async fn each_session_of_a_batch_is_an_event_once() {
    let mock = mock();
    mock.next_run(RunScript::new().fail_tests(["a", "b", "c"]));
    mock.next_heal(BatchScript::new().pending(1).session(2).fail_tests(["b"]));
    let checksum = client_of(&mock);
    let heal = HealOptions::open_pull_request("acme-co/my-tests".parse().expect("a name"));
    let batch = failed_run_to_heal(&mock, &checksum, heal).await;
    let mut events = batch.events();
    let mut lines = Vec::new();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        match event {
            Event::Changed { previous, current } => {
                let previous = previous.as_ref();
                if previous.map(BatchStatus::state) != Some(current.state()) {
                    lines.push(current.state().to_string());
                }
                for session in current.changed_sessions(previous) {
                    let test = session.checksum_test_id.as_ref().expect("a test");
                    let has_pull_request = session.pr_url.is_some();
                    lines.push(format!("{test} {} {has_pull_request}", session.status));
                }
            }
            Event::Finished(report) => lines.push(format!("finished {}", report.is_success())),
            other => lines.push(format!("{other:?}")),
        }
    }
    snapshot!(lines.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_heal_is_a_success() {
    let mock = mock();
    mock.next_run(RunScript::new().fail_tests(["a"]));
    mock.next_heal(BatchScript::new().no_sessions());
    let checksum = client_of(&mock);
    let heal = HealOptions::no_pull_request();
    let batch = failed_run_to_heal(&mock, &checksum, heal).await;
    let batch = batch.await.expect("an end");
    assert!(batch.is_success() && batch.sessions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_v2_does_not_know_keeps_its_outcome() {
    let mock = mock();
    mock.next_run(RunScript::new().only_api_version("v1"));
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    let resumed = checksum.resume_run(run.job_name().expect("a name").clone());
    let report = resumed.await.expect("an end");
    assert!(report.outcome().is_success());
    assert_eq!(report.test_run_id(), None);
    let error = report.results().await.expect_err("no id");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
}

/// The end state and the version decide the outcome and the last requests, and nothing else.
#[tokio::test(start_paused = true)]
async fn every_end_state_of_both_versions() {
    let mut lines = Vec::new();
    for state in [
        "passed",
        "healed",
        "failed",
        "process-error",
        "cancelled",
        "abandoned",
    ] {
        for version in ["v1", "v2"] {
            let mock = mock();
            let script = RunScript::new().queued(MINUTE / 2).running(2 * MINUTE);
            mock.next_run(script.end_state(state));
            let checksum = client_of(&mock);
            let run = match version {
                "v1" => checksum.run_suite().start().await,
                _ => checksum.run_grep("checkout").start().await,
            };
            let report = run.expect("a run").await.expect("a report");
            let requests = mock.requests();
            let last = requests.last().expect("a request");
            lines.push(format!(
                "{state} of {version}: {}, success: {}, test run known: {}, {} requests until {} s, last {}",
                report.outcome(),
                report.outcome().is_success(),
                report.test_run_id().is_some(),
                requests.len(),
                last.at.as_secs(),
                last.operation_id.expect("an operation"),
            ));
        }
    }
    snapshot!(lines.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn generation_batches() {
    let mut lines = Vec::new();
    let mut timelines = Vec::new();
    for (name, script) in [
        ("completed", BatchScript::new()),
        ("failed", BatchScript::new().fail_all()),
        (
            "without a pull request",
            BatchScript::new().without_pull_requests(),
        ),
    ] {
        let mock = mock();
        mock.next_generation(script.pending(MINUTE).session(3 * MINUTE));
        let repo = "acme-co/webapp".parse().expect("a name");
        let batch = client_of(&mock)
            .generate(repo, PrNumber::new(42).expect("a number"), "b")
            .start()
            .await;
        let report = batch.expect("a batch").await.expect("an end");
        let session = &report.sessions()[0];
        lines.push(format!(
            "{name}: success: {}, session {}, pull request: {}",
            report.is_success(),
            session.status,
            session.pr_url.is_some(),
        ));
        timelines.push(timeline(&mock));
    }
    timelines.dedup();
    assert_eq!(timelines.len(), 1, "the end does not change the polls");
    snapshot!([lines, timelines].concat().join("\n"));
}
