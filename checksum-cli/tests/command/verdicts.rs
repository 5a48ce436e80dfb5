//! What fails a run that the service calls passed, and what the command prints about it.

use checksum_mock::{BatchScript, Fault, RunScript};
use serde_json::json;

use crate::invocation::{Ended, checksum, exec, respond, start_mock};

async fn suite(script: RunScript, arguments: &str) -> Ended {
    let mock = start_mock().await;
    mock.next_run(script);
    checksum(
        &mock.url(),
        format!("run suite --poll-interval 0s {arguments}"),
    )
    .end()
}

fn no_tests() -> RunScript {
    RunScript::new().passed(0).failed(0).recovered(0).bug(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_tests_fails_unless_allowed() {
    for arguments in ["", "--strict"] {
        let ended = suite(no_tests(), arguments).await.exits(1);
        assert!(
            ended.stdout.starts_with("job-name-12345: no-tests ("),
            "{ended:?}"
        );
        ended.stderr_has("--allow-no-tests");
    }
    for arguments in ["--allow-no-tests", "--allow-no-tests --strict"] {
        suite(no_tests(), arguments).await.exits(0);
    }
    let mock = start_mock().await;
    mock.next_run(no_tests().queued(0).running(0));
    exec(&mock, "run suite --detach");
    for (arguments, code) in [
        ("status job-name-12345", 1),
        ("status job-name-12345 --allow-no-tests", 0),
        ("wait job-name-12345", 1),
        ("wait job-name-12345 --allow-no-tests", 0),
    ] {
        let ended = exec(&mock, format!("{arguments} --output json")).exits(code);
        let verdict = ended.last_line();
        assert_eq!(verdict["isSuccess"], code == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictions_are_reported_and_fail_with_strict() {
    let good = json!({ "status": "passed", "passed": 3, "failed": 0, "recovered": 0, "bug": 0 });
    for (field, value, code, strict_code, expected) in [
        (
            "failed",
            json!("3"),
            0,
            1,
            "counts 3 failed tests; --strict would fail it",
        ),
        (
            "failed",
            json!([3]),
            0,
            1,
            "its `failed` cannot be read; --strict would fail it",
        ),
        (
            "verdict",
            json!("FAIL"),
            1,
            1,
            "its verdict is fail; the run failed",
        ),
        (
            "verdict",
            json!(0),
            0,
            1,
            "its `verdict` cannot be read; --strict would fail it",
        ),
        ("verdict", json!("failed"), 0, 1, "its verdict is `failed`"),
        ("passed", json!(null), 0, 1, "does not count the tests"),
    ] {
        let mock = start_mock().await;
        let mut status = good.clone();
        status[field] = value;
        respond(&mock, "get_run_status", &status);
        for (arguments, code) in [("", code), ("--strict", strict_code)] {
            let wait = format!("run suite --poll-interval 0s {arguments}");
            let ended = exec(&mock, &wait).exits(code);
            if arguments.is_empty() {
                ended.stderr_has(expected);
            } else {
                ended.stderr_lacks("--strict would");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_of_a_batch_decide_its_result() {
    let batch = json!({
        "batchId": "batch-1", "status": "completed", "allTerminal": true, "sessions": [],
        "totalSessions": 5, "completedCount": 0, "failedCount": 0,
    });
    let mock = start_mock().await;
    respond(&mock, "get_heal_batch", &batch);
    exec(&mock, "wait --heal-batch batch-1")
        .exits(1)
        .stderr_has("counts 0 of 5 sessions");

    let mut odd = batch;
    odd["totalSessions"] = json!("five");
    for (arguments, code) in [("", 0), ("--strict", 1)] {
        let mock = start_mock().await;
        respond(&mock, "get_heal_batch", &odd);
        let wait = format!("wait --heal-batch batch-1 --output json {arguments}");
        let ended = exec(&mock, &wait).exits(code);
        ended.stderr_has("`totalSessions` cannot be read");
        let batch = ended.last_line();
        assert!(batch["contradiction"].is_string(), "{batch}");
    }

    // A healing with nothing to heal did not fail.
    let mock = start_mock().await;
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    exec(&mock, "run suite --poll-interval 0s");
    mock.next_heal(BatchScript::new().no_sessions());
    let heal = "heal 00000000-0000-4000-8000-000000000001 --no-create-pr --strict";
    exec(&mock, format!("{heal} --poll-interval 0s")).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_state_is_reported_with_its_effect() {
    for state in ["canceled", "error", "healing"] {
        let ended = suite(RunScript::new().end_state(state), "").await.exits(5);
        let seen = format!("this version does not know the state `{state}`; it seems terminal");
        ended.stderr_has(&seen);
        let verdict = format!("the state `{state}`, which counts neither as passed nor as failed");
        ended.stderr_has(&verdict);
    }
    // A state that does not seem terminal is waited for.
    let mock = start_mock().await;
    let healing = Fault::respond_with(r#"{"status":"healing"}"#).on_operation("get_run_status");
    mock.fault(healing.times(3));
    let ended = exec(&mock, "run suite --poll-interval 0s").exits(0);
    assert!(
        ended
            .stderr
            .contains("the state `healing`; the wait goes on"),
        "{ended:?}"
    );

    suite(RunScript::new().end_state("PASSED"), "")
        .await
        .exits(0);
}
