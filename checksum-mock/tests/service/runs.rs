use std::time::Duration;

use checksum_mock::{Clock, Mock, RunScript, TestScript};
use serde_json::json;

use crate::client::{Client, mock};

const V1: &str = "/v1/execution/status/job-name-12345";
const V2: &str = "/v2/execution/status/job-name-12345";

#[tokio::test]
async fn a_run_goes_from_queued_over_running_to_its_end() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(2)
            .fail_tests(["test-def-456"]),
    );
    let accepted = client.post("/v1/execution/suite", json!({})).await.ok();
    assert_eq!(accepted, json!({ "name": "job-name-12345" }));

    assert_eq!(client.get(V1).await.ok(), json!({ "status": "queued" }));
    assert_eq!(client.get(V2).await.ok(), json!({ "status": "running" }));
    assert_eq!(client.get(V1).await.ok(), json!({ "status": "running" }));
    let mut end = json!({ "status": "failed", "passed": 5, "failed": 1, "recovered": 0, "bug": 0 });
    assert_eq!(client.get(V1).await.ok(), end);
    end["testRunId"] = json!("00000000-0000-4000-8000-000000000001");
    assert_eq!(client.get(V2).await.ok(), end);
}

#[tokio::test]
async fn phases_can_last_on_the_clock() {
    let mock = mock();
    let client = Client::of(&mock);
    let second = Duration::from_secs(1);
    mock.next_run(RunScript::new().queued(second).running(2 * second));
    client.start_suite().await;
    let state = async || client.get(V1).await.ok()["status"].clone();
    assert_eq!(state().await, "queued");
    assert_eq!(state().await, "queued");
    mock.clock().advance(second);
    assert_eq!(state().await, "running");
    mock.clock().advance(2 * second);
    assert_eq!(state().await, "passed");
}

#[tokio::test]
async fn broken_tests_fail_the_runs_that_have_them() {
    let builder = Mock::builder().clock(Clock::manual());
    let mock = builder.failing_tests(["test-def-456"]).without_socket();
    let client = Client::of(&mock);
    let end = async |test: &str| {
        let body = json!({ "testIds": [test, "test-abc-123"] });
        let accepted = client.post("/v1/execution/tests", body).await.ok();
        let job = accepted["name"].as_str().expect("a name").to_owned();
        client.follow(&job).await;
        let path = format!("/v1/execution/status/{job}");
        client.get(&path).await.ok()
    };
    let passed = json!({ "status": "passed", "passed": 2, "failed": 0, "recovered": 0, "bug": 0 });
    let failed = json!({ "status": "failed", "passed": 1, "failed": 1, "recovered": 0, "bug": 0 });
    assert_eq!(end("test-def-456").await, failed);
    assert_eq!(end("test-ghi-789").await, passed);
    mock.next_run(RunScript::new());
    assert_eq!(end("test-def-456").await, passed, "the script decides");
}

#[tokio::test]
async fn scripts_are_used_up_in_order_and_the_default_follows() {
    let mock = mock();
    let client = Client::of(&mock);
    let immediate = || RunScript::new().queued(0).running(0);
    mock.next_run(immediate().healed());
    mock.next_run(immediate().process_error());
    mock.next_run(immediate().cancelled());
    mock.next_run(immediate().end_state("superseded"));
    let mut states = Vec::new();
    for _ in 0..5 {
        let job = client.start_suite().await;
        client.follow(&job).await;
        let status = client.get(&format!("/v1/execution/status/{job}")).await;
        states.push(status.ok()["status"].as_str().unwrap().to_owned());
    }
    let expected = [
        "healed",
        "process-error",
        "cancelled",
        "superseded",
        "passed",
    ];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn counts_come_from_the_tests_unless_they_are_given() {
    let mock = mock();
    let client = Client::of(&mock);
    let tests = [
        TestScript::new("a"),
        TestScript::new("b").status("recovered"),
        TestScript::new("c").status("bug"),
    ];
    mock.next_run(RunScript::new().tests(tests).running(0).queued(0));
    // The description's own example: passed beside two failures.
    mock.next_run(RunScript::new().passed(45).failed(2).recovered(1).bug(0));
    let mut counts = Vec::new();
    for _ in 0..2 {
        let job = client.start_suite().await;
        client.follow(&job).await;
        let status = client
            .get(&format!("/v1/execution/status/{job}"))
            .await
            .ok();
        counts.push(["passed", "failed", "recovered", "bug"].map(|name| status[name].as_u64()));
    }
    assert_eq!(
        counts,
        [[1, 0, 1, 1], [45, 2, 1, 0]].map(|counts| counts.map(Some))
    );
}

#[tokio::test]
async fn a_run_can_go_on_for_ever() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().queued(0).never_finishes());
    client.start_suite().await;
    mock.clock().advance(Duration::from_secs(1_000_000));
    for _ in 0..50 {
        assert_eq!(client.get(V1).await.ok()["status"], "running");
    }
}

#[tokio::test]
async fn observed_members_and_others_can_be_shown() {
    let mock = mock();
    let client = Client::of(&mock);
    let script = RunScript::new().queued(0).running(1).process_error();
    mock.next_run(script.observed_fields(true).field("shard", 3));
    let accepted = client.post("/v1/execution/suite", json!({})).await.ok();
    assert_eq!(accepted["runId"], "00000000-0000-4000-8000-000000000001");
    assert_eq!(accepted["sharded"], false);
    assert_eq!(
        client.get(V1).await.ok(),
        json!({
            "status": "running", "isTerminal": false, "verdict": "pending", "failureReason": null,
            "shard": 3,
        })
    );
    let end = client.get(V1).await.ok();
    assert_eq!(end["isTerminal"], true);
    assert_eq!(end["verdict"], "fail");
    assert_eq!(end["failureReason"], "the runner was lost");
}

#[tokio::test]
async fn a_sharded_run_has_no_name() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().sharded(true));
    assert_eq!(
        client.post("/v1/execution/suite", json!({})).await.ok(),
        json!({ "name": null, "runId": "00000000-0000-4000-8000-000000000001", "sharded": true })
    );
    // Not even by the name that it would have without shards.
    client.get(V1).await.rejection(404);
    client.get(V2).await.rejection(404);
}

#[tokio::test]
async fn runs_that_ended_first_are_forgotten_first() {
    let mock = Mock::builder()
        .max_finished_runs(2)
        .clock(Clock::manual())
        .without_socket();
    let client = Client::of(&mock);
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for running in [minutes(3), minutes(1), minutes(2), minutes(9)] {
        mock.next_run(RunScript::new().queued(0).running(running));
        client.start_suite().await;
    }
    mock.clock().advance(minutes(3));
    let known = async || {
        let mut known = Vec::new();
        for number in 1..=5 {
            let job = format!("/v1/execution/status/job-name-{}", 12_344 + number);
            let results =
                format!("/v1/test-runs/00000000-0000-4000-8000-00000000000{number}/results");
            let status = client.get(&job).await.status;
            let has_results = client.get(&results).await.status == 200;
            known.extend((status == 200).then_some((number, has_results)));
        }
        known
    };
    assert_eq!(known().await, [(1, true), (2, true), (3, true), (4, false)]);
    client.start_suite().await;
    assert_eq!(
        known().await,
        [(1, true), (3, true), (4, false), (5, false)]
    );
    let job = "/v1/execution/status/job-name-12346";
    assert_eq!(
        client.get(job).await.rejection(404),
        "there is no run `job-name-12346`"
    );
    let latest = client.get("/v1/test-runs/latest").await.ok();
    assert_eq!(latest["id"], "00000000-0000-4000-8000-000000000001");
}

#[tokio::test]
async fn runs_that_never_end_are_bounded_in_bytes() {
    let mock = Mock::builder()
        .max_memory(100_000)
        .default_run(RunScript::new().never_finishes())
        .without_socket();
    let client = Client::of(&mock);
    let mut jobs = Vec::new();
    for _ in 0..200 {
        jobs.push(client.start_suite().await);
    }
    let mut known = Vec::new();
    for job in &jobs {
        let path = format!("/v1/execution/status/{job}");
        known.push(client.get(&path).await.status == 200);
    }
    assert!(known.is_sorted(), "the oldest are forgotten first");
    let count = known.into_iter().filter(|is_known| *is_known).count();
    assert!((10..100).contains(&count), "{count}");
}

#[tokio::test]
async fn the_latest_run_is_known_however_large_it_is() {
    let mock = Mock::builder()
        .max_memory(0)
        .max_finished_runs(0)
        .without_socket();
    let client = Client::of(&mock);
    let ids: Vec<String> = (0..1_000).map(|number| format!("test-{number}")).collect();
    let accepted = client.post("/v1/execution/tests", json!({ "testIds": ids }));
    let name = accepted.await.ok()["name"].as_str().unwrap().to_owned();
    client.follow(&name).await;
    client.start_suite().await;
    client.get(V1).await.rejection(404);
}

#[tokio::test]
async fn a_run_can_be_known_to_one_version_alone() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().only_api_version("v2"));
    client.start_suite().await;
    client.get(V1).await.rejection(404);
    client.get(V2).await.ok();
}

#[tokio::test]
async fn what_is_run_is_what_was_asked_for() {
    let mock = mock();
    let client = Client::of(&mock);
    let started = [
        ("/v1/execution/collection/collection-abc-123", json!({}), 3),
        (
            "/v1/execution/tests",
            json!({ "testIds": ["id1", "test-abc-123"] }),
            2,
        ),
        ("/v1/execution/grep", json!({ "grep": "checkout" }), 2),
        (
            "/v2/execution/grep",
            json!({
                "grep": "^Visitor can",
                "branch": "feature/preview",
                "envOverrides": { "BASE_URL": "https://pr-42.preview.example.com" },
            }),
            1,
        ),
        // Neither a regular expression nor a part of any title.
        ("/v2/execution/grep", json!({ "grep": "(" }), 0),
    ];
    for (path, body, count) in started {
        let accepted = client.post(path, body).await.ok();
        let id = client.follow(accepted["name"].as_str().unwrap()).await;
        let results = client
            .get(&format!("/v1/test-runs/{id}/results"))
            .await
            .ok();
        assert_eq!(results["tests"].as_array().unwrap().len(), count, "{path}");
    }
}
