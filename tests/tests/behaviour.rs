//! The exact requests of whole stories, with their times. The clock is tokio's, paused.

use std::time::Duration;

use checksum_api_ext::types::{BatchId, CollectionId, TestId};
use checksum_api_ext::{AutoHeal, BatchChange, Error, Event, InvalidRequest, Run, TryStreamExt};
use checksum_mock::{BatchScript, Mock, RunScript};
use checksum_tests::client_of;
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

fn mock() -> Mock {
    Mock::builder().without_socket()
}

/// Every request so far, a line each: the second, the method, the path.
fn requests(mock: &Mock) -> String {
    let requests = mock.requests().into_iter();
    let lines = requests.map(|request| {
        let path = request.path.trim_start_matches("/public-api").to_owned();
        format!("{:>4} {} {path}\n", request.at.as_secs(), request.method)
    });
    lines.collect()
}

#[tokio::test(start_paused = true)]
async fn the_quick_start() {
    let mock = mock();
    mock.next_run(
        RunScript::new()
            .queued(MINUTE / 3)
            .running(5 * MINUTE)
            .fail_tests(["test-def-456"]),
    );
    mock.next_heal(BatchScript::new().pending(MINUTE).session(2 * MINUTE));
    let checksum = client_of(&mock);
    let heal = AutoHeal::pull_request("acme-co/my-tests".parse().expect("a name")).branch("main");
    let run = checksum
        .run_suite()
        .auto_heal(heal)
        .start()
        .await
        .expect("a run");
    let report = run.await.expect("an end");
    assert!(!report.outcome().is_success());

    let id = BatchId::new(&mock.heal_batches()[0]).expect("an id");
    let batch = checksum.heal_batch(id).await.expect("an end");
    assert!(batch.is_success());
    let url = batch.sessions()[0]
        .pr_url
        .as_deref()
        .expect("a pull request");
    assert!(
        url.starts_with("https://github.com/acme-co/my-tests/pull/"),
        "{url}"
    );
    insta::assert_snapshot!(requests(&mock));
}

#[tokio::test(start_paused = true)]
async fn a_grep_of_six_minutes() {
    let mock = mock();
    mock.next_run(RunScript::new().queued(MINUTE / 4).running(6 * MINUTE));
    let run = client_of(&mock)
        .run_grep("checkout")
        .start()
        .await
        .expect("a run");
    let report = run.await.expect("an end");
    assert!(report.test_run_id().is_some());
    insta::assert_snapshot!(requests(&mock));
}

#[tokio::test(start_paused = true)]
async fn a_watched_batch_tells_each_session_once() {
    let mock = mock();
    mock.next_run(RunScript::new().fail_tests(["a", "b", "c"]));
    mock.next_heal(BatchScript::new().pending(1).session(2).fail_tests(["b"]));
    let checksum = client_of(&mock);
    let heal = AutoHeal::pull_request("acme-co/my-tests".parse().expect("a name"));
    let run = checksum
        .run_suite()
        .auto_heal(heal)
        .start()
        .await
        .expect("a run");
    run.await.expect("an end");
    let id = BatchId::new(&mock.heal_batches()[0]).expect("an id");
    let mut events = checksum.heal_batch(id).events();
    let mut told = Vec::new();
    while let Some(event) = events.try_next().await.expect("an event") {
        match event {
            Event::Changed(BatchChange::State { current, .. }) => told.push(current.to_string()),
            Event::Changed(BatchChange::Session(session)) => {
                let test = session.checksum_test_id.expect("a test");
                told.push(format!(
                    "{test} {} {}",
                    session.status,
                    session.pr_url.is_some()
                ));
            }
            Event::Finished(report) => told.push(format!("finished {}", report.is_success())),
            other => told.push(format!("{other:?}")),
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_heal_is_a_success() {
    let mock = mock();
    mock.next_run(RunScript::new().fail_tests(["a"]));
    mock.next_heal(BatchScript::new().no_sessions());
    let checksum = client_of(&mock);
    let heal = AutoHeal::without_pull_request();
    let run = checksum
        .run_suite()
        .auto_heal(heal)
        .start()
        .await
        .expect("a run");
    run.await.expect("an end");
    let id = BatchId::new(&mock.heal_batches()[0]).expect("an id");
    let batch = checksum.heal_batch(id).await.expect("an end");
    assert!(batch.is_success() && batch.sessions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_selection_sends_what_it_says() {
    async fn started(start: impl Future<Output = Result<Run, Error>>) {
        start.await.expect("a run").handle();
    }
    let mock = mock();
    let checksum = client_of(&mock);
    let id = |text: &str| TestId::new(text).expect("an id");
    let heal = AutoHeal::pull_request("acme-co/my-tests".parse().expect("a name"))
        .branch("main")
        .pr(42)
        .extra_field("metadata", json!({ "by": "me" }));
    let collection = CollectionId::new("collection-abc-123").expect("an id");
    started(checksum.run_suite().extra_field("shardCount", 8).start()).await;
    started(checksum.run_suite().auto_heal(heal).start()).await;
    started(checksum.run_collection(collection).start()).await;
    started(checksum.run_tests([id("id1"), id("id2")]).start()).await;
    let grep = checksum
        .run_grep("checkout")
        .branch("feature/preview")
        .env("BASE_URL", "https://x");
    assert!(
        !format!("{grep:?}").contains("https://x"),
        "a value is printed"
    );
    started(grep.start()).await;
    #[expect(deprecated, reason = "the older route is offered, and so tested")]
    started(checksum.run_grep_v1("checkout").start()).await;

    let sent: Vec<String> = mock
        .requests()
        .into_iter()
        .map(|request| {
            format!(
                "{} {}",
                request.operation_id.expect("an operation"),
                request.body
            )
        })
        .collect();
    insta::assert_snapshot!(sent.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn what_would_be_refused_is_not_sent() {
    let mock = mock();
    let checksum = client_of(&mock);
    let invalid = |error: Error| match error {
        Error::Invalid(reason) => reason,
        other => panic!("{other:?}"),
    };
    let healing = |heal| checksum.run_suite().auto_heal(heal).start();
    let repository = "acme-co/my-tests".parse().expect("a name");
    let refused = [
        invalid(checksum.run_tests([]).start().await.expect_err("refused")),
        invalid(checksum.run_grep("").start().await.expect_err("refused")),
        invalid(
            healing(AutoHeal::without_pull_request().pr(42))
                .await
                .expect_err("refused"),
        ),
        invalid(
            healing(AutoHeal::pull_request(repository).pr(0))
                .await
                .expect_err("refused"),
        ),
    ];
    assert_eq!(
        refused,
        [
            InvalidRequest::NoTestIds,
            InvalidRequest::EmptyGrep,
            InvalidRequest::NoRepository,
            InvalidRequest::PrNumber,
        ]
    );
    assert!(mock.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_only_v1_knows_keeps_its_verdict() {
    let mock = mock();
    mock.next_run(RunScript::new().only_api_version("v1"));
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    let resumed = checksum.resume_run(run.job_name().expect("a name").clone());
    let report = resumed.await.expect("an end");
    assert!(report.outcome().is_success());
    assert_eq!(report.test_run_id(), None);
    assert!(report.results().await.expect("no request").is_none());
}

/// Six minutes of each version, to each end that a run can have, and to one that nobody knows.
#[tokio::test(start_paused = true)]
async fn every_end_of_both_versions() {
    let mut told = Vec::new();
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
            let report = run.expect("a run").await.expect("an end");
            told.push(format!(
                "{version} {state}: {}, passes: {}, test run known: {}\n{}",
                report.outcome(),
                report.outcome().is_success(),
                report.test_run_id().is_some(),
                requests(&mock)
            ));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_generation_batch_to_its_end() {
    let mut told = Vec::new();
    for (what, script) in [
        ("good", BatchScript::new()),
        ("fails", BatchScript::new().fails_all()),
        (
            "no pull request",
            BatchScript::new().without_pull_requests(),
        ),
    ] {
        let mock = mock();
        mock.next_generation(script.pending(MINUTE).session(3 * MINUTE));
        let checksum = client_of(&mock);
        let client = checksum.api();
        let number = checksum_api::types::PrNumber(42.try_into().expect("a number"));
        let request = client.trigger_auto_generate().body_map(|body| {
            body.pr_number(number)
                .repo_name("acme-co/webapp")
                .branch("b")
        });
        let batch = request.execute().await.expect("a batch").batch_id;
        let report = checksum.generation_batch(batch).await.expect("an end");
        let session = &report.sessions()[0];
        told.push(format!(
            "{what}: success: {}, session {}, pull request: {}\n{}",
            report.is_success(),
            session.status,
            session.pr_url.is_some(),
            requests(&mock)
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
}
