use checksum_mock::BatchScript;
use serde_json::{Value, json};

use crate::client::{Client, mock};

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
async fn a_session_is_accepted_and_ends_with_a_pull_request() {
    let mock = mock();
    let client = Client::of(&mock);
    let accepted = client.post("/v1/auto-generate", request()).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(
        accepted.json(),
        json!({
            "batchId": "batch-gen-1",
            "sessionId": "sess-1",
            "links": { "session": "https://app.checksum.ai/#/sessions/sess-1" },
        })
    );
    let poll = async || client.get("/v1/auto-generate/batch/batch-gen-1").await.ok();
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
    let batch = "/v1/auto-heal/batch/batch-gen-1";
    client.get(batch).await.rejection(404);
}

#[tokio::test]
async fn a_session_can_fail() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_generation(BatchScript::new().pending(0).session(0).fail_all());
    client.post("/v1/auto-generate", request()).await.json();
    let batch = client.get("/v1/auto-generate/batch/batch-gen-1").await.ok();
    assert_eq!(batch["status"], "failed");
    assert_eq!(batch["sessions"][0]["prUrl"], Value::Null);
}
