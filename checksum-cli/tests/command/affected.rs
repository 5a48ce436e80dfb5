//! `checksum run affected`, and sharded runs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use checksum_mock::{Fault, Mock, RunScript};
use serde_json::{Value, json};

use crate::invocation::{Ended, checksum, exec, last_body, observed_mock, start_mock};

fn started(mock: &Mock) -> usize {
    let requests = mock.requests();
    let starts = |id: &&str| id.starts_with("run_");
    requests
        .iter()
        .filter_map(|request| request.operation_id)
        .filter(starts)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn affected_tests_are_found_and_run() {
    let mock = observed_mock().await;
    let run = "run affected src/cart.ts src/checkout/pay.ts --branch feature/cart";
    exec(&mock, format!("{run} --poll-interval 0s")).exits(0);
    let files = json!({ "changedFiles": ["src/cart.ts", "src/checkout/pay.ts"] });
    assert_eq!(last_body(&mock, "find_affected_tests"), files);
    let grep = last_body(&mock, "run_grep_v2");
    assert_eq!(grep["branch"], "feature/cart");
    assert_eq!(
        grep["grep"],
        "(test-abc-123|test-def-456|test-ghi-789)".to_owned()
    );

    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("list");
    for text in ["src/cart.ts\r\n\n", "src/cart.ts\0"] {
        fs::write(&list, text).expect("written");
        let run = checksum(&mock.url(), "run affected - --poll-interval 0s");
        run.stdin(&list).end().exits(0);
        let files = json!({ "changedFiles": ["src/cart.ts"] });
        assert_eq!(last_body(&mock, "find_affected_tests"), files);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_if_no_test_is_affected() {
    let mock = observed_mock().await;
    mock.set_affected_tests([""; 0]);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-run"}}"#).expect("written");
    let run = checksum(&mock.url(), "run affected README.md --handle-file");
    run.argument(&path)
        .end()
        .exits(0)
        .stdout_has("nothing was started")
        .stderr_has("job-of-an-earlier-run");
    // `checksum wait` does not wait for the earlier run.
    let wait = checksum(&mock.url(), "wait --output json --handle-file");
    let ended = wait.argument(&path).end().exits(0);
    let line = ended.last_line();
    assert_eq!(line["type"], "nothing-to-run");
    assert_eq!(started(&mock), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_arguments_of_affected_start_nothing() {
    let documented = start_mock().await;
    let ended = exec(&documented, "run affected a.ts --output json").exits(2);
    ended.stderr_has("not documented");
    let line = ended.last_line();
    assert_eq!(line["started"], "no");
    assert_eq!(started(&documented), 0);

    let mock = observed_mock().await;
    for arguments in [
        "run affected",
        "run affected a.ts --base main",
        "run affected - --api-key-stdin",
        "run affected - a.ts",
        "run affected a.ts --field priority=high",
        "run affected a.ts --auto-heal",
        "run affected a.ts --shards 1",
        "run grep a --shards 41",
        "run grep a --shards 2 --auto-heal --no-create-pr",
        "run affected a.ts --shards 2 --auto-heal --no-create-pr",
        "run suite --metadata a=b",
        "run suite --field priority=high",
        "run suite --auto-heal --no-create-pr --metadata a:=high",
    ] {
        exec(&mock, arguments).exits(2);
    }
    for option in ["--base=", "--base= ", ""] {
        checksum(&mock.url(), "run affected")
            .argument(option)
            .end()
            .exits(2);
    }
    // As git writes it without `-z`.
    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("list");
    fs::write(&list, "a.ts\n\"\\303\\274.ts\"\n").expect("written");
    checksum(&mock.url(), "run affected -")
        .stdin(&list)
        .end()
        .exits(2)
        .stderr_has("-z");
    assert_eq!(mock.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_lookup_replaces_an_older_handle() {
    let mock = observed_mock().await;
    mock.fault(
        Fault::status(500)
            .on_operation("find_affected_tests")
            .always(),
    );
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-run"}}"#).expect("written");
    let run = checksum(&mock.url(), "run affected a.ts --timeout 1ms --handle-file");
    run.argument(&path).end().exits(5);
    let wait = checksum(&mock.url(), "wait --handle-file");
    wait.argument(&path)
        .end()
        .exits(2)
        .stderr_has("was not started");
}

/// The look-up takes 1.1 of 2 seconds, so a retry of the start after 1 second would be too late.
#[tokio::test(flavor = "multi_thread")]
async fn timeout_bounds_the_lookup_and_the_start_together() {
    let mock = observed_mock().await;
    let slow = Fault::delay(Duration::from_millis(1_100));
    mock.fault(slow.on_operation("find_affected_tests"));
    let busy = Fault::status(429).header("retry-after", "1");
    mock.fault(busy.on_operation("run_grep_v2"));
    let ended = exec(&mock, "run affected src/cart.ts --timeout 2s --output json").exits(5);
    assert_eq!(ended.last_line()["started"], "no");
    assert_eq!(started(&mock), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_hint_resumes_to_the_same_verdict() {
    let mock = observed_mock().await;
    mock.next_run(RunScript::new().queued(0).running(0).tests([]));
    let ended = exec(&mock, "run suite --detach");
    let hint = ended.stderr.split('`').nth(1).expect("a hint");
    let wait = hint.strip_prefix("checksum ").expect("a command");
    let ended = exec(&mock, format!("{wait} --allow-no-tests"));
    assert_eq!(ended.code, 1, "{hint}: {ended:?}");
}

fn git(directory: &Path, arguments: &str) {
    let ended = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments.split(' '))
        .current_dir(directory)
        .output()
        .expect("git runs");
    assert!(ended.status.success(), "git {arguments}: {ended:?}");
}

/// Returns a repository on a branch that changed files since it left `main`.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    git(path, "init -q -b main");
    fs::write(path.join("cart.ts"), "1").expect("written");
    git(path, "add .");
    git(path, "commit -q -m one");
    git(path, "checkout -q -b feature");
    fs::write(path.join("cart.ts"), "2").expect("written");
    fs::write(path.join("zahlung ü.ts"), "2").expect("written");
    git(path, "add .");
    git(path, "commit -q -m two");
    directory
}

fn with_base(mock: &Mock, directory: &Path, arguments: &str) -> Ended {
    let command = checksum(&mock.url(), arguments).directory(directory);
    command.env("PATH", env!("PATH")).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn base_lists_the_changed_files_with_git() {
    let mock = observed_mock().await;
    let directory = repository();
    let run = "run affected --base main --poll-interval 0s";
    with_base(&mock, directory.path(), run).exits(0);
    let files = json!({ "changedFiles": ["cart.ts", "zahlung ü.ts"] });
    assert_eq!(last_body(&mock, "find_affected_tests"), files);
    for base in ["nowhere", "--output=leak"] {
        with_base(
            &mock,
            directory.path(),
            &format!("run affected --base={base} --detach"),
        )
        .exits(2)
        .stderr_has("--base: git");
    }
    assert!(!directory.path().join("leak...").exists());
    assert_eq!(started(&mock), 1);
}

/// With a `git` that writes its environment to a file and fails.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn git_gets_no_secrets() {
    use std::os::unix::fs::PermissionsExt;

    let mock = observed_mock().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("git");
    let seen = directory.path().join("seen");
    let script = format!("#!/bin/sh\nexport > '{}'\nexit 1\n", seen.display());
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    let run = checksum(&mock.url(), "run affected --base main --env PASSWORD");
    let search = directory.path().to_str().expect("a path");
    run.env("PATH", search)
        .env("PASSWORD", "hunter2-hunter2")
        .end()
        .exits(2);
    let seen = fs::read_to_string(seen).expect("the environment of git");
    assert!(seen.contains("PATH"), "{seen}");
    assert!(!seen.contains("hunter2"), "{seen}");
    assert!(!seen.contains("CHECKSUM"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sharded_run_is_resumed_by_its_test_run_id() {
    let mock = observed_mock().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run.json");
    let run = "run grep checkout --shards 4 --detach --output json --handle-file";
    let ended = checksum(&mock.url(), run).argument(&path).end().exits(0);
    assert_eq!(last_body(&mock, "run_grep_v2")["shardCount"], 4);
    let line = ended.last_line();
    assert_eq!(line["jobName"], Value::Null);
    let id = line["testRunId"].as_str().expect("an id").to_owned();
    for wait in [
        format!("wait --test-run {id}"),
        format!("wait --handle-file {}", path.display()),
    ] {
        exec(&mock, format!("{wait} --poll-interval 0s"))
            .exits(0)
            .stdout_has(&format!("test run {id}"));
    }
    let ended = checksum(&mock.url(), format!("status --test-run {id} --output json")).end();
    let line = ended.last_line();
    assert_eq!((ended.code, &line["isSuccess"]), (0, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_shard_and_an_empty_selection_fail() {
    for (script, arguments, expected) in [
        (
            RunScript::new().lost_shards(1),
            "run grep checkout --shards 8",
            "shards failed",
        ),
        (
            RunScript::new(),
            "run grep nothing-has-this-name --allow-no-tests",
            "verdict is fail",
        ),
    ] {
        let mock = observed_mock().await;
        mock.next_run(script);
        let ended = exec(&mock, format!("{arguments} --poll-interval 0s")).exits(1);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains(expected), "{ended:?}");
    }
}
