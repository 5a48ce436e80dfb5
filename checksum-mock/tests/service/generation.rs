//! Generation batches.

use checksum_mock::BatchScript;
use serde_json::{Value, json};

use crate::server::server;

const START: &str = "/v1/auto-generate";
const BATCH: &str = "/v1/auto-generate/batch/batch-gen-1";

fn request() -> Value {
    json!({
        "prNumber": 42,
        "repoName": "acme-co/webapp",
        "branch": "feature/checkout-redesign",
        "metadata": { "triggeredBy": "release-bot" },
        "envOverrides": { "BASE_URL": "https://preview.example.com/pr-42/" },
    })
}

#[tokio::test]
async fn a_session_ends_with_a_pull_request() {
    let server = server();
    let started = server.post(START, request()).await;
    assert_eq!(started.status, 202);
    assert_eq!(
        started.json(),
        json!({
            "batchId": "batch-gen-1",
            "sessionId": "sess-1",
            "links": { "session": "https://app.checksum.ai/#/sessions/sess-1" },
        })
    );
    let poll = async || server.get(BATCH).await.ok();
    assert_eq!(poll().await["status"], "pending");
    assert_eq!(poll().await["status"], "in_progress");
    assert_eq!(
        poll().await,
        json!({
            "batchId": "batch-gen-1", "status": "completed", "totalSessions": 1,
            "completedCount": 1, "failedCount": 0, "allTerminal": true,
            "sessions": [{
                "sessionId": "sess-1", "status": "completed",
                "prUrl": "https://github.com/acme-co/my-tests/pull/43",
            }],
        })
    );
    // It is not a healing batch.
    let other = server.get("/v1/auto-heal/batch/batch-gen-1").await;
    other.rejection(404);
}

#[tokio::test]
async fn a_session_can_fail() {
    let server = server();
    server.next_generation(BatchScript::new().pending(0).session(0).fail_all());
    server.post(START, request()).await.json();
    let batch = server.get(BATCH).await.ok();
    assert_eq!(batch["status"], "failed");
    assert_eq!(batch["sessions"][0]["prUrl"], Value::Null);
}
