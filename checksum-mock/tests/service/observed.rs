//! What was observed of the live service and is not documented.

use std::time::Duration;

use checksum_mock::{Clock, Mock, RunScript, TestScript};
use serde_json::{Value, json};

use crate::server::{GREP, RUN_ID, SUITE, Server, immediate, observed_server, server};

const AFFECTED: &str = "/v1/affected-tests";

/// The response of the status route by run id.
pub(crate) fn verdict(status: &str, verdict: &str, reason: Option<&str>) -> Value {
    json!({
        "status": status,
        "isTerminal": verdict != "pending",
        "verdict": verdict,
        "failureReason": reason,
    })
}

#[tokio::test]
async fn the_vendors_header_carries_the_api_key_only_if_observed() {
    let status = async |builder: checksum_mock::MockBuilder, headers: &[(&str, &str)]| {
        let server = Server::new(builder);
        server.get_with("/public-api/v1/me", headers).await.status
    };
    let documented = || Mock::builder().api_key("right");
    let observed = || documented().observed();
    let code = "ChecksumAppCode";
    let wrong_bearer = ("authorization", "Bearer wrong");
    for right in [
        &[(code, "right")][..],
        &[(code, " right ")],
        &[wrong_bearer, (code, "right")],
        &[("authorization", "Bearer right")],
    ] {
        assert_eq!(status(observed(), right).await, 200, "{right:?}");
    }
    for wrong in ["", " ", "wrong", "Bearer right"] {
        assert_eq!(status(observed(), &[(code, wrong)]).await, 401, "{wrong}");
    }
    let any = Mock::builder().observed();
    assert_eq!(status(any, &[(code, "any")]).await, 200);
    assert_eq!(status(documented(), &[(code, "right")]).await, 401);
}

#[tokio::test]
async fn each_start_returns_the_run_id() {
    let server = observed_server();
    let starts = [
        (SUITE, json!({})),
        ("/v1/execution/collection/collection-abc-123", json!({})),
        ("/v1/execution/tests", json!({ "testIds": ["id1"] })),
        ("/v1/execution/grep", json!({ "grep": "checkout" })),
        (GREP, json!({ "grep": "checkout" })),
    ];
    for ((path, body), number) in starts.into_iter().zip(1..) {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let name = format!("job-name-{}", 12_344 + number);
        assert_eq!(
            server.post(path, body).await.ok(),
            json!({ "name": name, "runId": id, "sharded": false })
        );
        assert_eq!(server.verdict(&id).await["status"], "queued", "{path}");
    }
    let by_name = "/v1/execution/status/run/job-name-12345";
    server.get(by_name).await.rejection(404);
}

#[tokio::test]
async fn a_run_has_a_verdict_in_every_state() {
    let server = observed_server();
    server.next_run(RunScript::new().queued(1).running(1));
    let id = server.start(SUITE, json!({})).await;
    for expected in [
        verdict("queued", "pending", None),
        verdict("running", "pending", None),
        verdict("passed", "pass", None),
    ] {
        assert_eq!(server.verdict(&id).await, expected);
    }
    // The documented routes return only documented fields.
    assert_eq!(
        server.status("job-name-12345").await,
        json!({ "status": "passed", "passed": 6, "failed": 0, "recovered": 0, "bug": 0 })
    );
    for (end, word, reason) in [
        ("healed", "pass", None),
        ("failed", "fail", Some("tests failed")),
        ("process-error", "fail", Some("the runner was lost")),
        ("cancelled", "fail", Some("somebody cancelled the run")),
        (
            "superseded",
            "fail",
            Some("the run ended in a state of its own"),
        ),
    ] {
        server.next_run(immediate().end_state(end));
        let id = server.start(SUITE, json!({})).await;
        assert_eq!(server.verdict(&id).await, verdict(end, word, reason));
    }
}

#[tokio::test]
async fn a_run_of_no_tests_is_passed_with_the_verdict_fail() {
    let server = observed_server();
    let nothing = json!({ "grep": "nothing like it" });
    let empty = immediate().tests([]);
    for (script, path, body, is_empty) in [
        (immediate(), GREP, nothing, true),
        (immediate(), SUITE, json!({ "suiteIds": ["other"] }), true),
        (empty.clone(), SUITE, json!({}), true),
        (empty.passed(3), SUITE, json!({}), false),
    ] {
        server.next_run(script);
        let started = server.post(path, body).await.ok();
        let status = server.status(started["name"].as_str().unwrap()).await;
        assert_eq!(status["status"], "passed");
        assert_eq!(status["passed"] == 0, is_empty, "{status}");
        let expected = match is_empty {
            true => verdict("passed", "fail", Some("no test matches the selection")),
            false => verdict("passed", "pass", None),
        };
        let id = started["runId"].as_str().unwrap();
        assert_eq!(server.verdict(id).await, expected);
    }
}

#[tokio::test]
async fn a_run_whose_reports_are_merged_has_not_finished() {
    let server = observed_server();
    let minute = Duration::from_secs(60);
    server.next_run(immediate().merging(minute));
    server.start(SUITE, json!({})).await;
    let results = format!("/v1/test-runs/{RUN_ID}/results");

    let status = server.get("/v2/execution/status/job-name-12345").await.ok();
    assert_eq!(status["status"], "passed");
    assert_eq!(status["passed"], 6);
    assert_eq!(status["testRunId"], RUN_ID);
    let expected = verdict("passed", "pending", None);
    assert_eq!(server.verdict(RUN_ID).await, expected);
    server.get(&results).await.rejection(404);

    server.clock().advance(minute);
    let expected = verdict("passed", "pass", None);
    assert_eq!(server.verdict(RUN_ID).await, expected);
    server.get(&results).await.ok();

    // Polls end the phase as well.
    server.next_run(immediate().end_state("failed").merging(1));
    let id = server.start(SUITE, json!({})).await;
    let expected = verdict("failed", "pending", None);
    assert_eq!(server.verdict(&id).await, expected);
    let expected = verdict("failed", "fail", Some("tests failed"));
    assert_eq!(server.verdict(&id).await, expected);
}

#[tokio::test]
async fn auto_heal_starts_once_the_reports_are_merged() {
    let server = observed_server();
    let minute = Duration::from_secs(60);
    server.next_run(immediate().end_state("failed").merging(minute));
    let block = json!({ "autoCreatePR": false, "metadata": { "context": [1, null] } });
    server.start(SUITE, json!({ "autoHeal": block })).await;
    assert!(server.heal_batches().is_empty());
    server.clock().advance(minute);
    assert_eq!(server.heal_batches().len(), 1);
}

#[tokio::test]
async fn suites_are_selected_by_their_ids() {
    let server = observed_server();
    let smoke = ["test-abc-123", "test-jkl-012", "test-pqr-678"];
    let checkout = ["test-def-456", "test-ghi-789"];
    let all = [&smoke[..], &checkout, &["test-mno-345"]].concat();
    for (suites, mut expected) in [
        (json!(["suite-abc-123"]), smoke.to_vec()),
        (json!(["suite-def-456", "other"]), checkout.to_vec()),
        (json!(["other"]), vec![]),
        (json!([]), all),
    ] {
        server.next_run(immediate());
        let id = server.start(SUITE, json!({ "suiteIds": suites })).await;
        let mut tests = server.tests_of(&id).await;
        tests.sort();
        expected.sort_unstable();
        assert_eq!(tests, expected, "{suites}");
    }
}

#[tokio::test]
async fn affected_tests_follow_from_the_files_unless_they_are_set() {
    let server = observed_server();
    let affected = async |files: Value| {
        let body = json!({ "changedFiles": files });
        let response = server.post(AFFECTED, body).await.ok();
        response["affectedTestIds"].clone()
    };
    let both = json!(["src/checkout/payment.ts", "checksum/tests/cart.spec.ts"]);
    for (files, expected) in [
        (json!([]), json!([])),
        (json!(["README.md", "", "src/shopping-cart.ts"]), json!([])),
        (json!(["src/cart.ts"]), json!(["test-abc-123"])),
        (
            both,
            json!(["test-abc-123", "test-def-456", "test-ghi-789"]),
        ),
    ] {
        assert_eq!(affected(files).await, expected);
    }
    server.set_affected_tests(["b.(c", "test-abc-123"]);
    for _ in 0..2 {
        let expected = json!(["b.(c", "test-abc-123"]);
        assert_eq!(affected(json!(["README.md"])).await, expected);
    }
    // A grep finds the affected tests, although the project does not have them all.
    server.next_run(immediate());
    let body = json!({ "grep": r"(b\.\(c|test-abc-123)" });
    let id = server.start(GREP, body).await;
    assert_eq!(server.tests_of(&id).await, ["test-abc-123", "b.(c"]);
    server.set_affected_tests([""; 0]);
    assert_eq!(affected(json!(["src/cart.ts"])).await, json!([]));
}

#[tokio::test]
async fn a_missing_or_invalid_observed_field_is_named() {
    let server = observed_server();
    let grep = |count: Value| json!({ "grep": "a", "shardCount": count });
    let counts = json!([0, 1, 41, -2, 2.5, "4", null, [2], true]);
    for count in counts.as_array().unwrap() {
        let response = server.post(GREP, grep(count.clone())).await;
        response.assert_invalid("shardCount");
    }
    let suites = json!(["a", [1], ["a", ""], [".."], null]);
    for ids in suites.as_array().unwrap() {
        let response = server.post(SUITE, json!({ "suiteIds": ids })).await;
        response.assert_invalid("suiteIds");
    }
    let files = |count| json!({ "changedFiles": vec!["a"; count] });
    let lists = json!(["a", [1], [null], {}, null]);
    let lists = lists.as_array().unwrap().iter();
    let bodies = lists.map(|list| json!({ "changedFiles": list }));
    for body in bodies.chain([files(1001), json!({})]) {
        let response = server.post(AFFECTED, body).await;
        response.assert_invalid("changedFiles");
    }
    let body = json!({ "grep": "a", "shardCount": 2, "autoHeal": { "repoName": "a/b" } });
    let message = server.post(GREP, body).await.rejection(400);
    assert_eq!(message, "shardCount and autoHeal exclude each other");
    // None of these requests has started a run.
    assert_eq!(server.start_suite().await, "job-name-12345");
    server.post(AFFECTED, files(1000)).await.ok();
    for count in [2, 40] {
        let started = server.post(GREP, grep(json!(count))).await;
        assert_eq!(started.ok()["sharded"], true);
    }
}

#[tokio::test]
async fn a_documented_service_ignores_observed_fields() {
    let server = server();
    let grep = json!({ "grep": "checkout", "shardCount": 99, "autoHeal": { "repoName": "a/b" } });
    let started = server.post(GREP, grep).await.ok();
    assert_eq!(started, json!({ "name": "job-name-12345" }));
    let started = server.post(SUITE, json!({ "suiteIds": 1 })).await.ok();
    let id = server.finish(started["name"].as_str().unwrap()).await;
    assert_eq!(server.tests_of(&id).await.len(), 6);
}

#[tokio::test]
async fn a_script_decides_on_an_observed_service_too() {
    let script = immediate().tests([TestScript::new("a")]);
    let builder = Mock::builder().observed().clock(Clock::manual());
    let server = Server::new(builder.default_run(script));
    let id = server.start(SUITE, json!({})).await;
    assert_eq!(server.tests_of(&id).await, ["a"]);
    server.next_run(immediate().field("verdict", "unsure"));
    let id = server.start(SUITE, json!({})).await;
    assert_eq!(server.verdict(&id).await["verdict"], "unsure");
}
