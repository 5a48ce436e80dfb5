//! Runs of what a change affects, and what else the live service was observed to do.

use std::fs;
use std::path::Path;
use std::process::Command;

use checksum_mock::{Fault, Mock, RunScript};
use serde_json::{Value, json};

use crate::invocation::{Ended, checksum};

async fn observed() -> Mock {
    Mock::builder().observed().start().await.expect("a mock")
}

fn body(mock: &Mock, operation: &str) -> Value {
    let requests = mock.requests();
    let mut of_operation = requests
        .iter()
        .filter(|request| request.operation_id == Some(operation));
    let request = of_operation.next_back().expect("a request");
    request.body.clone()
}

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
    let mock = observed().await;
    let run = "run affected src/cart.ts src/checkout/pay.ts --branch feature/cart";
    let ended = checksum(&mock.url(), &format!("{run} --poll-interval 0s")).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let files = json!({ "changedFiles": ["src/cart.ts", "src/checkout/pay.ts"] });
    assert_eq!(body(&mock, "find_affected_tests"), files);
    let grep = body(&mock, "run_grep_v2");
    assert_eq!(grep["branch"], "feature/cart");
    assert_eq!(
        grep["grep"],
        "(test-abc-123|test-def-456|test-ghi-789)".to_owned()
    );

    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("list");
    for text in ["src/cart.ts\r\n\n", "src/cart.ts\0"] {
        fs::write(&list, text).expect("written");
        let run = checksum(&mock.url(), "run affected - --poll-interval 0s");
        let ended = run.stdin(&list).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let files = json!({ "changedFiles": ["src/cart.ts"] });
        assert_eq!(body(&mock, "find_affected_tests"), files);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_run_where_nothing_is_affected() {
    let mock = observed().await;
    mock.affect([""; 0]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-job"}}"#).expect("written");
    let run = checksum(&mock.url(), "run affected README.md --run-id-file");
    let ended = run.argument(&path).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("nothing was started"), "{ended:?}");
    assert!(ended.stderr.contains("job-of-an-earlier-job"), "{ended:?}");
    // Nobody waits for the run of the earlier job.
    let wait = checksum(&mock.url(), "wait --output json --run-id-file");
    let ended = wait.argument(&path).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let line = ended.lines().next().expect("a line");
    assert_eq!(line["type"], "nothing-to-run");
    assert_eq!(started(&mock), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_affected_tests_is_an_error_and_starts_nothing() {
    let documented = Mock::start().await.expect("a mock");
    let ended = checksum(&documented.url(), "run affected a.ts --output json").end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("not documented"), "{ended:?}");
    let line = ended.lines().last().expect("a line");
    assert_eq!(line["started"], "no");
    assert_eq!(started(&documented), 0);

    let mock = observed().await;
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
        let ended = checksum(&mock.url(), arguments).end();
        assert_eq!(ended.code, 2, "{arguments}: {ended:?}");
    }
    for option in ["--base=", "--base= ", ""] {
        let ended = checksum(&mock.url(), "run affected").argument(option).end();
        assert_eq!(ended.code, 2, "{option:?}: {ended:?}");
    }
    // As git writes it without `-z`.
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("list");
    fs::write(&list, "a.ts\n\"\\303\\274.ts\"\n").expect("written");
    let ended = checksum(&mock.url(), "run affected -").stdin(&list).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("-z"), "{ended:?}");
    assert_eq!(mock.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_handle_is_gone_before_the_service_is_asked() {
    let mock = observed().await;
    mock.fault(
        Fault::status(500)
            .on_operation("find_affected_tests")
            .always(),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-job"}}"#).expect("written");
    let run = checksum(&mock.url(), "run affected a.ts --timeout 1ms --run-id-file");
    let ended = run.argument(&path).end();
    assert_eq!(ended.code, 5, "{ended:?}");
    let wait = checksum(&mock.url(), "wait --run-id-file");
    let ended = wait.argument(&path).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("was not started"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_hint_leads_to_the_same_verdict() {
    let mock = observed().await;
    mock.next_run(RunScript::new().queued(0).running(0).tests([]));
    let ended = checksum(&mock.url(), "run suite --detach").end();
    let hint = ended.stderr.split('`').nth(1).expect("a hint");
    let wait = hint.strip_prefix("checksum ").expect("a command");
    let ended = checksum(&mock.url(), &format!("{wait} --allow-no-tests")).end();
    assert_eq!(ended.code, 1, "{hint}: {ended:?}");
}

fn git(folder: &Path, arguments: &str) {
    let ended = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(ended.status.success(), "git {arguments}: {ended:?}");
}

/// A repository on a branch that has changed a file since it left `main`.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    git(path, "init -q -b main");
    fs::write(path.join("cart.ts"), "1").expect("written");
    git(path, "add .");
    git(path, "commit -q -m one");
    git(path, "checkout -q -b feature");
    fs::write(path.join("cart.ts"), "2").expect("written");
    fs::write(path.join("zahlung ü.ts"), "2").expect("written");
    git(path, "add .");
    git(path, "commit -q -m two");
    folder
}

fn with_base(mock: &Mock, folder: &Path, arguments: &str) -> Ended {
    let command = checksum(&mock.url(), arguments).directory(folder);
    command.env("PATH", env!("PATH")).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn git_tells_what_has_changed() {
    let mock = observed().await;
    let folder = repository();
    let run = "run affected --base main --poll-interval 0s";
    let ended = with_base(&mock, folder.path(), run);
    assert_eq!(ended.code, 0, "{ended:?}");
    let files = json!({ "changedFiles": ["cart.ts", "zahlung ü.ts"] });
    assert_eq!(body(&mock, "find_affected_tests"), files);
    for base in ["nowhere", "--output=leak"] {
        let ended = with_base(
            &mock,
            folder.path(),
            &format!("run affected --base={base} --detach"),
        );
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("--base: git"), "{ended:?}");
    }
    assert!(!folder.path().join("leak...").exists());
    assert_eq!(started(&mock), 1);
}

/// A git that fails and shows its environment.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn git_gets_no_secret() {
    use std::os::unix::fs::PermissionsExt;

    let mock = observed().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("git");
    let seen = folder.path().join("seen");
    let script = format!("#!/bin/sh\nexport > '{}'\nexit 1\n", seen.display());
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    let run = checksum(&mock.url(), "run affected --base main --env PASSWORD");
    let search = folder.path().to_str().expect("a path");
    let ended = run
        .env("PATH", search)
        .env("PASSWORD", "hunter2-hunter2")
        .end();
    assert_eq!(ended.code, 2, "{ended:?}");
    let seen = fs::read_to_string(seen).expect("the environment of git");
    assert!(seen.contains("PATH"), "{seen}");
    assert!(!seen.contains("hunter2"), "{seen}");
    assert!(!seen.contains("CHECKSUM"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_split_is_followed_by_its_test_run_id() {
    let mock = observed().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let run = "run grep checkout --shards 4 --detach --output json --run-id-file";
    let ended = checksum(&mock.url(), run).argument(&path).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(body(&mock, "run_grep_v2")["shardCount"], 4);
    let line = ended.lines().last().expect("a line");
    assert_eq!(line["jobName"], Value::Null);
    let id = line["testRunId"].as_str().expect("an id").to_owned();
    for wait in [
        format!("wait --test-run {id}"),
        format!("wait --run-id-file {}", path.display()),
    ] {
        let ended = checksum(&mock.url(), &format!("{wait} --poll-interval 0s")).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains(&format!("test run {id}")));
    }
    let ended = checksum(
        &mock.url(),
        &format!("status --test-run {id} --output json"),
    )
    .end();
    let line = ended.lines().last().expect("a line");
    assert_eq!((ended.code, &line["pass"]), (0, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_shard_and_an_empty_selection_fail_as_with_the_vendors_client() {
    for (script, arguments, said) in [
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
        let mock = observed().await;
        mock.next_run(script);
        let ended = checksum(&mock.url(), &format!("{arguments} --poll-interval 0s")).end();
        assert_eq!(ended.code, 1, "{ended:?}");
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains(said), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_metadata_take_any_json() {
    let mock = observed().await;
    let run = "run suite --suite suite-abc-123 --field priority={\"level\":2} --auto-heal \
        --no-create-pr --metadata by=me --metadata ticket:=[7] --detach";
    let ended = checksum(&mock.url(), run).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        body(&mock, "run_suite"),
        json!({
            "suiteIds": ["suite-abc-123"],
            "priority": { "level": 2 },
            "autoHeal": { "autoCreatePR": false, "metadata": { "by": "me", "ticket": [7] } },
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_request_that_finds_the_tests() {
    let ended = checksum("http://127.0.0.1:9", "run affected a.ts --dry-run").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("/v1/affected-tests"), "{ended:?}");
    let ended = checksum("http://127.0.0.1:9", "run affected - --dry-run").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("nothing was started"), "{ended:?}");
}
