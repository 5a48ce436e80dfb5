//! What takes a pass away, and what is said of it.

use checksum_mock::{BatchScript, Fault, Mock, RunScript};
use serde_json::json;

use crate::invocation::{Ended, checksum};

async fn suite(script: RunScript, arguments: &str) -> Ended {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(script);
    checksum(
        &mock.url(),
        &format!("run suite --poll-interval 0s {arguments}"),
    )
    .end()
}

fn no_tests() -> RunScript {
    RunScript::new().passed(0).failed(0).recovered(0).bug(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_no_tests_fails_unless_it_is_allowed() {
    for arguments in ["", "--strict"] {
        let ended = suite(no_tests(), arguments).await;
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(
            ended.stdout.starts_with("job-name-12345: no tests ("),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("--allow-no-tests"), "{ended:?}");
    }
    for arguments in ["--allow-no-tests", "--allow-no-tests --strict"] {
        let ended = suite(no_tests(), arguments).await;
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(no_tests().queued(0).running(0));
    checksum(&mock.url(), "run suite --detach").end();
    for (arguments, code) in [
        ("status job-name-12345", 1),
        ("status job-name-12345 --allow-no-tests", 0),
        ("wait job-name-12345", 1),
        ("wait job-name-12345 --allow-no-tests", 0),
    ] {
        let ended = checksum(&mock.url(), &format!("{arguments} --output json")).end();
        assert_eq!(ended.code, code, "{arguments}: {ended:?}");
        let verdict = ended.lines().last().expect("a line");
        assert_eq!(verdict["pass"], code == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_fields_are_reported_and_fail_when_strict() {
    let good = json!({ "status": "passed", "passed": 3, "failed": 0, "recovered": 0, "bug": 0 });
    for (field, value, code, strict_code, said) in [
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
            "its verdict is fail; it has failed",
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
        let mock = Mock::start().await.expect("a stand-in");
        let mut status = good.clone();
        status[field] = value;
        mock.fault(
            Fault::respond_with(status.to_string())
                .on_operation("get_run_status")
                .always(),
        );
        for (arguments, code) in [("", code), ("--strict", strict_code)] {
            let wait = format!("run suite --poll-interval 0s {arguments}");
            let ended = checksum(&mock.url(), &wait).end();
            assert_eq!(ended.code, code, "{status}: {ended:?}");
            if arguments.is_empty() {
                assert!(ended.stderr.contains(said), "{said}: {ended:?}");
            } else {
                assert!(!ended.stderr.contains("--strict would"), "{ended:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_totals_of_a_batch_count() {
    let batch = json!({
        "batchId": "batch-1", "status": "completed", "allTerminal": true, "sessions": [],
        "totalSessions": 5, "completedCount": 0, "failedCount": 0,
    });
    let mock = Mock::start().await.expect("a stand-in");
    mock.fault(
        Fault::respond_with(batch.to_string())
            .on_operation("get_heal_batch")
            .always(),
    );
    let ended = checksum(&mock.url(), "wait --heal-batch batch-1").end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("counts 0 of 5 sessions"), "{ended:?}");

    let mut odd = batch;
    odd["totalSessions"] = json!("five");
    for (arguments, code) in [("", 0), ("--strict", 1)] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.fault(
            Fault::respond_with(odd.to_string())
                .on_operation("get_heal_batch")
                .always(),
        );
        let wait = format!("wait --heal-batch batch-1 --output json {arguments}");
        let ended = checksum(&mock.url(), &wait).end();
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(
            ended.stderr.contains("`totalSessions` cannot be read"),
            "{ended:?}"
        );
        let batch = ended.lines().last().expect("a line");
        assert!(batch["contradiction"].is_string(), "{batch}");
    }

    // A healing that had nothing to heal is none that failed.
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    checksum(&mock.url(), "run suite --poll-interval 0s").end();
    mock.next_heal(BatchScript::new().no_sessions());
    let heal = "heal 00000000-0000-4000-8000-000000000001 --no-create-pr --strict";
    let ended = checksum(&mock.url(), &format!("{heal} --poll-interval 0s")).end();
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_not_known_is_named_and_so_is_what_follows() {
    for state in ["canceled", "error", "healing"] {
        let ended = suite(RunScript::new().end_state(state), "").await;
        assert_eq!(ended.code, 5, "{ended:?}");
        let seen = format!("this version does not know the state `{state}`; it looks like an end");
        assert!(ended.stderr.contains(&seen), "{ended:?}");
        let verdict = format!("the state `{state}`, which counts neither as passed nor as failed");
        assert!(ended.stderr.contains(&verdict), "{ended:?}");
    }
    // One that says nothing of an end is waited for.
    let mock = Mock::start().await.expect("a stand-in");
    let healing = Fault::respond_with(r#"{"status":"healing"}"#).on_operation("get_run_status");
    mock.fault(healing.times(3));
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("the state `healing`; the wait goes on"),
        "{ended:?}"
    );

    let ended = suite(RunScript::new().end_state("PASSED"), "").await;
    assert_eq!(ended.code, 0, "{ended:?}");
}
