//! Sharded runs, which only the observed route by run id finds.

use checksum_mock::RunScript;
use serde_json::json;

use crate::observed::verdict;
use crate::server::{GREP, RUN_ID, SUITE, immediate, observed_server, server};

#[tokio::test]
async fn a_sharded_run_is_found_only_by_its_run_id() {
    let server = observed_server();
    server.next_run(RunScript::new().queued(1).running(0));
    let body = json!({ "grep": "User", "shardCount": 2 });
    assert_eq!(
        server.post(GREP, body).await.ok(),
        json!({ "name": null, "runId": RUN_ID, "sharded": true })
    );
    for version in ["v1", "v2"] {
        // The first is the name that it would have without shards.
        for name in ["job-name-12345", RUN_ID, "null"] {
            let path = format!("/{version}/execution/status/{name}");
            server.get(&path).await.rejection(404);
        }
    }
    let expected = verdict("queued", "pending", None);
    assert_eq!(server.verdict(RUN_ID).await, expected);
    let expected = verdict("passed", "pass", None);
    assert_eq!(server.verdict(RUN_ID).await, expected);
    assert_eq!(server.tests_of(RUN_ID).await.len(), 5);
}

#[tokio::test]
async fn a_script_can_shard_a_run_of_a_documented_service() {
    let server = server();
    server.next_run(RunScript::new().sharded(true));
    assert_eq!(
        server.post(SUITE, json!({})).await.ok(),
        json!({ "name": null, "runId": RUN_ID, "sharded": true })
    );
    for version in ["v1", "v2"] {
        let path = format!("/{version}/execution/status/job-name-12345");
        server.get(&path).await.rejection(404);
    }
}

fn lost(lost: u64, count: u64) -> String {
    format!("{lost}/{count} shards failed; merged report is missing their tests")
}

#[tokio::test]
async fn a_lost_shard_fails_the_verdict_and_keeps_the_state() {
    let server = observed_server();
    let failed = immediate().fail_tests(["test-pqr-678"]);
    for (script, state, count, lost_shards, tests) in [
        (immediate(), "passed", 8, 1, 5),
        (immediate(), "passed", 2, 1, 3),
        (immediate(), "passed", 40, 2, 4),
        // No more shards are lost than there are.
        (immediate(), "passed", 3, 9, 0),
        (failed, "failed", 2, 1, 3),
        (immediate().process_error(), "process-error", 2, 1, 3),
    ] {
        server.next_run(script.lost_shards(lost_shards));
        let body = json!({ "grep": ".", "shardCount": count });
        let id = server.start(GREP, body).await;
        let reason = lost(lost_shards.min(count), count);
        let expected = verdict(state, "fail", Some(&reason));
        assert_eq!(server.verdict(&id).await, expected);
        assert_eq!(server.tests_of(&id).await.len(), tests, "{reason}");
    }
}

#[tokio::test]
async fn a_script_can_shard_any_run_into_two() {
    let server = observed_server();
    server.next_run(immediate().sharded(true).lost_shards(1));
    let id = server.start(SUITE, json!({})).await;
    assert_eq!(server.verdict(&id).await["failureReason"], lost(1, 2));
}

#[tokio::test]
async fn shards_without_tests_fail_the_verdict() {
    let server = observed_server();
    server.next_run(immediate());
    let body = json!({ "grep": "nothing like it", "shardCount": 2 });
    let id = server.start(GREP, body).await;
    let expected = verdict("passed", "fail", Some("no test matches the selection"));
    assert_eq!(server.verdict(&id).await, expected);
}

#[tokio::test]
async fn a_run_without_shards_cannot_lose_one() {
    let server = observed_server();
    server.next_run(immediate().lost_shards(1));
    let id = server.start(SUITE, json!({})).await;
    let expected = verdict("passed", "pass", None);
    assert_eq!(server.verdict(&id).await, expected);
}
