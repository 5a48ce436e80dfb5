//! Healing batches, started by request or by `autoHeal`.

use std::time::Duration;

use checksum_mock::{BatchScript, Mock, RunScript};
use serde_json::{Value, json};

use crate::server::{RUN_ID, SUITE, Server, server};

const START: &str = "/v1/auto-heal";
const BATCH: &str = "/v1/auto-heal/batch/batch-xyz-789";
const FAILING: [&str; 2] = ["test-abc-123", "test-def-456"];

fn failing() -> RunScript {
    RunScript::new().fail_tests(FAILING)
}

fn request(test_run_id: &str) -> Value {
    json!({ "testRunId": test_run_id, "repoName": "acme-co/my-tests", "branch": "main" })
}

#[tokio::test]
async fn sessions_end_one_by_one_with_pull_requests() {
    let server = server();
    let id = server.finished_run(failing()).await;
    assert_eq!(
        server.post(START, request(&id)).await.ok(),
        json!({
            "batchId": "batch-xyz-789",
            "sessionIds": ["sess-1", "sess-2"],
            "failureCount": 2,
            "testIds": FAILING,
        })
    );
    for (batch, first, second) in [
        ("pending", "pending", "pending"),
        ("in_progress", "running", "running"),
        ("in_progress", "completed", "running"),
    ] {
        let response = server.get(BATCH).await.ok();
        assert_eq!(response["status"], batch);
        let states = [0, 1].map(|index| &response["sessions"][index]["status"]);
        assert_eq!(states, [first, second]);
    }
    assert_eq!(
        server.get(BATCH).await.ok(),
        json!({
            "batchId": "batch-xyz-789", "status": "completed", "testRunId": id,
            "totalSessions": 2, "completedCount": 2, "failedCount": 0, "allTerminal": true,
            "sessions": [
                {
                    "sessionId": "sess-1", "checksumTestId": "test-abc-123", "status": "completed",
                    "prUrl": "https://github.com/acme-co/my-tests/pull/43",
                },
                {
                    "sessionId": "sess-2", "checksumTestId": "test-def-456", "status": "completed",
                    "prUrl": "https://github.com/acme-co/my-tests/pull/44",
                },
            ],
        })
    );
}

/// Heals a run with two failures by a script, and returns the finished batch.
async fn healed(script: BatchScript) -> Value {
    let server = server();
    let id = server.finished_run(failing()).await;
    server.next_heal(script.pending(0).session(0));
    let started = server.post(START, request(&id)).await.ok();
    assert_eq!(started["failureCount"], 2);
    let batch = server.get(BATCH).await.ok();
    assert_eq!(batch["allTerminal"], true);
    batch
}

#[tokio::test]
async fn sessions_can_fail() {
    let batch = healed(BatchScript::new().fail_tests(["test-def-456"])).await;
    assert_eq!(batch["status"], "failed");
    let counts = ["completedCount", "failedCount"].map(|name| &batch[name]);
    assert_eq!(counts, [1, 1]);
    assert_eq!(batch["sessions"][1]["status"], "failed");
    assert_eq!(batch["sessions"][1]["prUrl"], Value::Null);

    let batch = healed(BatchScript::new().fail_all()).await;
    assert_eq!(batch["failedCount"], 2);
}

#[tokio::test]
async fn one_session_can_heal_every_failure() {
    let batch = healed(BatchScript::new().single_session()).await;
    assert_eq!(batch["totalSessions"], 1);
    assert_eq!(batch["sessions"][0].get("checksumTestId"), None);
}

#[tokio::test]
async fn a_batch_can_have_no_sessions() {
    let batch = healed(BatchScript::new().no_sessions()).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["sessions"], json!([]));
}

#[tokio::test]
async fn pull_requests_can_be_missing() {
    let batch = healed(BatchScript::new().without_pull_requests()).await;
    assert_eq!(batch["completedCount"], 2);
    assert_eq!(batch["sessions"][0]["prUrl"], Value::Null);
}

#[tokio::test]
async fn a_run_without_failures_has_no_sessions() {
    let server = server();
    let id = server.finished_run(RunScript::new()).await;
    let body = json!({ "testRunId": id, "autoCreatePR": false });
    let started = server.post(START, body).await.ok();
    assert_eq!(started["sessionIds"], json!([]));
    assert_eq!(started["failureCount"], 0);
}

#[tokio::test]
async fn only_a_finished_run_can_be_healed() {
    let server = server();
    let job = server.start_suite().await;
    for id in ["other", RUN_ID, &job] {
        server.post(START, request(id)).await.rejection(404);
    }
    assert!(server.heal_batches().is_empty());
    server.get(BATCH).await.rejection(404);
}

#[tokio::test]
async fn auto_heal_starts_one_batch_for_a_failed_run() {
    let server = server();
    let auto_heal = json!({ "autoHeal": { "repoName": "acme-co/my-tests", "branch": "main" } });
    for script in [failing(), RunScript::new()] {
        server.next_run(script);
        let started = server.post(SUITE, auto_heal.clone()).await.ok();
        let job = started["name"].as_str().unwrap();
        server.finish(job).await;
        server.finish(job).await;
    }
    server.finished_run(failing()).await;
    assert_eq!(server.heal_batches(), ["batch-xyz-789"]);
    assert_eq!(server.get(BATCH).await.ok()["testRunId"], RUN_ID);
}

#[tokio::test]
async fn auto_heal_starts_at_the_moment_of_the_runs_end() {
    let server = server();
    let minute = Duration::from_secs(60);
    server.next_run(failing().queued(minute).running(minute));
    server.next_heal(BatchScript::new().pending(minute).session(minute));
    let body = json!({ "autoHeal": { "autoCreatePR": false } });
    server.post(SUITE, body).await.ok();
    // No request is sent while all of it happens.
    server.clock().advance(5 * minute);
    assert_eq!(server.heal_batches(), ["batch-xyz-789"]);
    let batch = server.get(BATCH).await.ok();
    assert_eq!(batch["allTerminal"], true);
    assert_eq!(batch["sessions"][0]["prUrl"], Value::Null);
}

#[tokio::test]
async fn batches_that_finished_first_are_dropped_first() {
    let server = Server::new(Mock::builder().max_finished_runs(2));
    let id = server
        .finished_run(RunScript::new().fail_tests(["test-def-456"]))
        .await;
    let body = json!({ "testRunId": id, "autoCreatePR": false });
    let state = async |batch: &str| {
        let response = server.get(&format!("/v1/auto-heal/batch/{batch}")).await;
        let json = response.json();
        json["status"].as_str().map(str::to_owned)
    };
    let mut batches = Vec::new();
    for number in 0..5 {
        let started = server.post(START, body.clone()).await.ok();
        batches.push(started["batchId"].as_str().unwrap().to_owned());
        // The first one does not finish.
        for _ in 0..if number == 0 { 0 } else { 4 } {
            state(&batches[number]).await.expect("the latest is known");
        }
    }
    let expected = [
        Some("pending"),
        None,
        Some("completed"),
        Some("completed"),
        Some("completed"),
    ];
    for (batch, expected) in batches.iter().zip(expected) {
        assert_eq!(state(batch).await.as_deref(), expected, "{batch}");
    }
    assert_eq!(server.heal_batches().len(), 4);
}
