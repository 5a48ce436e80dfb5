//! Runs as they are documented: phases, ends, counts, selections, and what is kept of them.

use std::time::Duration;

use checksum_mock::{Clock, Mock, RunScript, TestScript};
use serde_json::{Value, json};

use crate::server::{GREP, RUN_ID, SUITE, Server, TESTS, immediate, server};

const FIRST: &str = "job-name-12345";
const V1: &str = "/v1/execution/status/job-name-12345";
const V2: &str = "/v2/execution/status/job-name-12345";

fn counts(status: &str, passed: u32, failed: u32) -> Value {
    json!({ "status": status, "passed": passed, "failed": failed, "recovered": 0, "bug": 0 })
}

#[tokio::test]
async fn a_run_is_queued_then_running_then_finished() {
    let server = server();
    let script = RunScript::new().queued(1).running(2);
    server.next_run(script.fail_tests(["test-def-456"]));
    let started = server.post(SUITE, json!({})).await.ok();
    assert_eq!(started, json!({ "name": FIRST }));

    let mut end = counts("failed", 5, 1);
    for (path, expected) in [
        (V1, json!({ "status": "queued" })),
        (V2, json!({ "status": "running" })),
        (V1, json!({ "status": "running" })),
        (V1, end.clone()),
    ] {
        assert_eq!(server.get(path).await.ok(), expected);
    }
    end["testRunId"] = json!(RUN_ID);
    assert_eq!(server.get(V2).await.ok(), end);
}

#[tokio::test]
async fn phases_can_last_a_time_on_the_clock() {
    let server = server();
    let second = Duration::from_secs(1);
    server.next_run(RunScript::new().queued(second).running(2 * second));
    server.start_suite().await;
    for (advance, expected) in [(0, "queued"), (0, "queued"), (1, "running"), (2, "passed")] {
        server.clock().advance(advance * second);
        assert_eq!(server.status(FIRST).await["status"], expected);
    }
}

#[tokio::test]
async fn failing_tests_fail_the_runs_that_select_them() {
    let server = Server::new(Mock::builder().failing_tests(["test-def-456"]));
    let end = async |test: &str| {
        let body = json!({ "testIds": [test, "test-abc-123"] });
        let started = server.post(TESTS, body).await.ok();
        let job = started["name"].as_str().unwrap().to_owned();
        server.finish(&job).await;
        server.status(&job).await
    };
    assert_eq!(end("test-def-456").await, counts("failed", 1, 1));
    assert_eq!(end("test-ghi-789").await, counts("passed", 2, 0));
    server.next_run(RunScript::new());
    let scripted = end("test-def-456").await;
    assert_eq!(scripted, counts("passed", 2, 0), "the script decides");
}

#[tokio::test]
async fn scripts_are_used_in_order_and_then_the_default() {
    let server = server();
    server.next_run(immediate().healed());
    server.next_run(immediate().process_error());
    server.next_run(immediate().cancelled());
    server.next_run(immediate().end_state("superseded"));
    for expected in [
        "healed",
        "process-error",
        "cancelled",
        "superseded",
        "passed",
    ] {
        let job = server.start_suite().await;
        server.finish(&job).await;
        assert_eq!(server.status(&job).await["status"], expected);
    }
}

#[tokio::test]
async fn counts_come_from_the_tests_unless_they_are_scripted() {
    let server = server();
    let tests = [
        TestScript::new("a"),
        TestScript::new("b").status("recovered"),
        TestScript::new("c").status("bug"),
    ];
    // The second is the example of the API's description: passed beside two failures.
    let given = RunScript::new().passed(45).failed(2).recovered(1).bug(0);
    for (script, expected) in [
        (RunScript::new().tests(tests), [1, 0, 1, 1]),
        (given, [45, 2, 1, 0]),
    ] {
        server.next_run(script);
        let job = server.start_suite().await;
        server.finish(&job).await;
        let status = server.status(&job).await;
        let counts = ["passed", "failed", "recovered", "bug"].map(|name| &status[name]);
        assert_eq!(counts, expected);
    }
}

#[tokio::test]
async fn a_run_can_run_forever() {
    let server = server();
    server.next_run(RunScript::new().queued(0).never_finishes());
    server.start_suite().await;
    server.clock().advance(Duration::from_secs(1_000_000));
    for _ in 0..50 {
        assert_eq!(server.status(FIRST).await["status"], "running");
    }
}

#[tokio::test]
async fn observed_and_unknown_fields_can_be_added() {
    let server = server();
    let script = RunScript::new().queued(0).running(1).process_error();
    server.next_run(script.observed_fields(true).field("shard", 3));
    let started = server.post(SUITE, json!({})).await.ok();
    assert_eq!(
        started,
        json!({ "name": FIRST, "runId": RUN_ID, "sharded": false })
    );
    assert_eq!(
        server.status(FIRST).await,
        json!({
            "status": "running", "isTerminal": false, "verdict": "pending", "failureReason": null,
            "shard": 3,
        })
    );
    let end = server.status(FIRST).await;
    assert_eq!(end["isTerminal"], true);
    assert_eq!(end["verdict"], "fail");
    assert_eq!(end["failureReason"], "the runner was lost");
}

#[tokio::test]
async fn runs_that_finished_first_are_dropped_first() {
    let builder = Mock::builder().max_finished_runs(2);
    let server = Server::new(builder.clock(Clock::manual()));
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for running in [minutes(3), minutes(1), minutes(2), minutes(9)] {
        server.next_run(RunScript::new().queued(0).running(running));
        server.start_suite().await;
    }
    server.clock().advance(minutes(3));
    // The known runs, and whether each has finished.
    let known = async || {
        let mut known = Vec::new();
        for number in 1..=5 {
            let job = format!("/v1/execution/status/job-name-{}", 12_344 + number);
            let results = format!("/v1/test-runs/{}{number}/results", &RUN_ID[..35]);
            let is_known = server.get(&job).await.status == 200;
            let has_results = server.get(&results).await.status == 200;
            known.extend(is_known.then_some((number, has_results)));
        }
        known
    };
    assert_eq!(known().await, [(1, true), (2, true), (3, true), (4, false)]);
    server.start_suite().await;
    assert_eq!(
        known().await,
        [(1, true), (3, true), (4, false), (5, false)]
    );
    let dropped = server.get("/v1/execution/status/job-name-12346").await;
    assert_eq!(dropped.rejection(404), "there is no run `job-name-12346`");
    let latest = server.get("/v1/test-runs/latest").await.ok();
    assert_eq!(latest["id"], RUN_ID);
}

#[tokio::test]
async fn the_memory_of_unfinished_runs_is_limited() {
    let builder = Mock::builder().max_memory(100_000);
    let server = Server::new(builder.default_run(RunScript::new().never_finishes()));
    let mut jobs = Vec::new();
    for _ in 0..200 {
        jobs.push(server.start_suite().await);
    }
    let mut known = Vec::new();
    for job in &jobs {
        let path = format!("/v1/execution/status/{job}");
        known.push(server.get(&path).await.status == 200);
    }
    assert!(known.is_sorted(), "the oldest are dropped first");
    let count = known.into_iter().filter(|is_known| *is_known).count();
    assert!((10..100).contains(&count), "{count}");
}

#[tokio::test]
async fn the_latest_run_is_kept_however_large_it_is() {
    let server = Server::new(Mock::builder().max_memory(0).max_finished_runs(0));
    let ids: Vec<String> = (0..1_000).map(|number| format!("test-{number}")).collect();
    let started = server.post(TESTS, json!({ "testIds": ids })).await.ok();
    server.finish(started["name"].as_str().unwrap()).await;
    server.start_suite().await;
    server.get(V1).await.rejection(404);
}

#[tokio::test]
async fn a_run_can_be_known_to_one_version_only() {
    let server = server();
    server.next_run(RunScript::new().only_api_version("v2"));
    server.start_suite().await;
    server.get(V1).await.rejection(404);
    server.get(V2).await.ok();
}

#[tokio::test]
async fn a_run_has_the_tests_that_the_request_selects() {
    let server = server();
    let preview = json!({
        "grep": "^Visitor can",
        "branch": "feature/preview",
        "envOverrides": { "BASE_URL": "https://pr-42.preview.example.com" },
    });
    for (path, body, count) in [
        ("/v1/execution/collection/collection-abc-123", json!({}), 3),
        (TESTS, json!({ "testIds": ["id1", "test-abc-123"] }), 2),
        ("/v1/execution/grep", json!({ "grep": "checkout" }), 2),
        (GREP, preview, 1),
        // Neither a regular expression nor a part of any title.
        (GREP, json!({ "grep": "(" }), 0),
    ] {
        let started = server.post(path, body).await.ok();
        let id = server.finish(started["name"].as_str().unwrap()).await;
        assert_eq!(server.tests_of(&id).await.len(), count, "{path}");
    }
}
