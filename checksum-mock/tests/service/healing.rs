use std::time::Duration;

use checksum_mock::{BatchScript, Mock, RunScript};
use serde_json::{Value, json};

use crate::client::{Client, mock};

const FAILING: [&str; 2] = ["test-abc-123", "test-def-456"];

/// Ends a run with two failures, and gives its test run id.
async fn failed_run(mock: &Mock, client: &Client) -> String {
    mock.next_run(RunScript::new().fail_tests(FAILING));
    let job = client.start_suite().await;
    client.follow(&job).await
}

fn request(test_run_id: &str) -> Value {
    json!({ "testRunId": test_run_id, "repoName": "acme-co/my-tests", "branch": "main" })
}

#[tokio::test]
async fn sessions_move_one_by_one_to_their_pull_requests() {
    let mock = mock();
    let client = Client::of(&mock);
    let id = failed_run(&mock, &client).await;
    let started = client.post("/v1/auto-heal", request(&id)).await.ok();
    assert_eq!(
        started,
        json!({
            "batchId": "batch-xyz-789",
            "sessionIds": ["sess-1", "sess-2"],
            "failureCount": 2,
            "testIds": FAILING,
        })
    );
    let poll = async || client.get("/v1/auto-heal/batch/batch-xyz-789").await.ok();
    let states = |batch: &Value| {
        let sessions = batch["sessions"].as_array().unwrap().iter();
        let state = |session: &Value| session["status"].as_str().unwrap().to_owned();
        sessions.map(state).collect::<Vec<_>>()
    };
    let pending = poll().await;
    assert_eq!(pending["status"], "pending");
    assert_eq!(states(&pending), ["pending", "pending"]);
    let begun = poll().await;
    assert_eq!(begun["status"], "in_progress");
    assert_eq!(states(&begun), ["running", "running"]);
    assert_eq!(states(&poll().await), ["completed", "running"]);
    let pull = |number| format!("https://github.com/acme-co/my-tests/pull/{number}");
    assert_eq!(
        poll().await,
        json!({
            "batchId": "batch-xyz-789", "status": "completed", "testRunId": id,
            "totalSessions": 2, "completedCount": 2, "failedCount": 0, "allTerminal": true,
            "sessions": [
                {
                    "sessionId": "sess-1", "checksumTestId": "test-abc-123",
                    "status": "completed", "prUrl": pull(43),
                },
                {
                    "sessionId": "sess-2", "checksumTestId": "test-def-456",
                    "status": "completed", "prUrl": pull(44),
                },
            ],
        })
    );
}

/// Heals a failed run by a script, and gives the batch at its end.
async fn healed(script: BatchScript) -> Value {
    let mock = mock();
    let client = Client::of(&mock);
    let id = failed_run(&mock, &client).await;
    mock.next_heal(script.pending(0).session(0));
    let started = client.post("/v1/auto-heal", request(&id)).await.ok();
    assert_eq!(started["failureCount"], 2);
    client.get("/v1/auto-heal/batch/batch-xyz-789").await.ok()
}

#[tokio::test]
async fn sessions_can_fail() {
    let batch = healed(BatchScript::new().fail_tests(["test-def-456"])).await;
    assert_eq!(batch["status"], "failed");
    assert_eq!(batch["allTerminal"], true);
    assert_eq!(
        (&batch["completedCount"], &batch["failedCount"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(batch["sessions"][1]["status"], "failed");
    assert_eq!(batch["sessions"][1]["prUrl"], Value::Null);

    let batch = healed(BatchScript::new().fail_all()).await;
    assert_eq!(batch["failedCount"], 2);
}

#[tokio::test]
async fn one_session_can_take_on_every_failure() {
    let batch = healed(BatchScript::new().single_session()).await;
    assert_eq!(batch["totalSessions"], 1);
    assert_eq!(batch["sessions"][0].get("checksumTestId"), None);
}

#[tokio::test]
async fn there_can_be_nothing_to_heal() {
    let batch = healed(BatchScript::new().no_sessions()).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["allTerminal"], true);
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
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let body = json!({ "testRunId": id, "autoCreatePR": false });
    let started = client.post("/v1/auto-heal", body).await.ok();
    assert_eq!(started["sessionIds"], json!([]));
    assert_eq!(started["failureCount"], 0);
}

#[tokio::test]
async fn only_a_run_that_has_ended_can_be_healed() {
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    for id in ["other", "00000000-0000-4000-8000-000000000001", &job] {
        client
            .post("/v1/auto-heal", request(id))
            .await
            .rejection(404);
    }
    assert!(mock.heal_batches().is_empty());
    client
        .get("/v1/auto-heal/batch/batch-xyz-789")
        .await
        .rejection(404);
}

#[tokio::test]
async fn a_failed_run_is_healed_once_where_that_was_asked_for() {
    let mock = mock();
    let client = Client::of(&mock);
    let auto_heal = json!({ "autoHeal": { "repoName": "acme-co/my-tests", "branch": "main" } });
    for script in [RunScript::new().fail_tests(FAILING), RunScript::new()] {
        mock.next_run(script);
        let body = auto_heal.clone();
        let accepted = client.post("/v1/execution/suite", body).await.ok();
        let job = accepted["name"].as_str().unwrap();
        client.follow(job).await;
        client.follow(job).await;
    }
    failed_run(&mock, &client).await;
    assert_eq!(mock.heal_batches(), ["batch-xyz-789"]);
    let batch = client.get("/v1/auto-heal/batch/batch-xyz-789").await.ok();
    assert_eq!(batch["testRunId"], "00000000-0000-4000-8000-000000000001");
}

#[tokio::test]
async fn healing_begins_at_the_moment_of_the_runs_end() {
    let mock = mock();
    let client = Client::of(&mock);
    let minute = Duration::from_secs(60);
    let script = RunScript::new().queued(minute).running(minute);
    mock.next_run(script.fail_tests(["test-def-456"]));
    mock.next_heal(BatchScript::new().pending(minute).session(minute));
    let body = json!({ "autoHeal": { "autoCreatePR": false } });
    client.post("/v1/execution/suite", body).await.ok();
    // Nobody looks while all of it happens.
    mock.clock().advance(4 * minute);
    assert_eq!(mock.heal_batches(), ["batch-xyz-789"]);
    let batch = client.get("/v1/auto-heal/batch/batch-xyz-789").await.ok();
    assert_eq!(batch["allTerminal"], true);
    assert_eq!(batch["sessions"][0]["prUrl"], Value::Null);
}

#[tokio::test]
async fn batches_that_ended_first_are_forgotten_first() {
    let mock = Mock::builder().max_finished_runs(2).without_socket();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let body = json!({ "testRunId": id, "autoCreatePR": false });
    let state = async |batch: &str| {
        let response = client.get(&format!("/v1/auto-heal/batch/{batch}")).await;
        (response.status == 200).then(|| response.json()["status"].clone())
    };
    let mut batches = Vec::new();
    for number in 0..5 {
        let accepted = client.post("/v1/auto-heal", body.clone()).await.ok();
        batches.push(accepted["batchId"].as_str().unwrap().to_owned());
        // The first one does not end.
        for _ in 0..if number == 0 { 0 } else { 4 } {
            state(&batches[number]).await.expect("the latest is known");
        }
    }
    let mut states = Vec::new();
    for batch in &batches {
        states.push(state(batch).await);
    }
    let completed = || Some(json!("completed"));
    let expected = [
        Some(json!("pending")),
        None,
        completed(),
        completed(),
        completed(),
    ];
    assert_eq!(states, expected);
    assert_eq!(mock.heal_batches().len(), 4);
}
