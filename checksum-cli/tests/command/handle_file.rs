//! The content of `--handle-file` at each moment of a start: no earlier run is waited for, none is
//! started twice, and none is lost.

use std::fs;
use std::path::{Path, PathBuf};

use checksum_mock::{Fault, Mock, RunScript};
use serde_json::Value;

use crate::invocation::{
    Ended, checksum, exec, mock_with_passed_run, start_mock, wait_until, with_fixed_times,
};
use crate::transcript::{TEST_RUN, after_a_run, transcript, transcript_of};

/// Returns a handle file of an earlier run, and its directory.
fn older_handle() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-run"}}"#).expect("written");
    (directory, path)
}

fn content(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

fn wait(mock: &Mock, path: &Path) -> Ended {
    let wait = checksum(&mock.url(), "wait --poll-interval 0s --handle-file");
    wait.argument(path).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_start_replaces_an_older_handle() {
    for (fault, start) in [
        (Fault::status(500), "run suite"),
        (
            Fault::reset_after_handling(),
            "run grep checkout --env PASSWORD=hunter2-hunter2",
        ),
        (Fault::status(200).body("{}"), "run tests test-abc-123"),
        (
            Fault::reset_before_handling(),
            "heal 00000000-0000-4000-8000-000000000001 --no-create-pr",
        ),
        (Fault::status(503), "generate --repo a/b --pr 1 --branch c"),
    ] {
        let mock = mock_with_passed_run().await;
        let (directory, path) = older_handle();
        mock.fault(fault.always());
        let started = checksum(&mock.url(), format!("{start} --handle-file"));
        let started = started.argument(&path).end();
        assert_eq!(started.code, 5, "{start}: {started:?}");
        let hint = "job-of-an-earlier-run; resume with `checksum wait";
        started.stderr_has(hint);

        let text = fs::read_to_string(&path).expect("a file");
        assert!(
            !text.contains("hunter2") && !text.contains("earlier"),
            "{text}"
        );
        let intent = &content(&path)["intent"];
        assert_eq!(
            intent["fingerprint"].as_str().map(str::len),
            Some(16),
            "{intent}"
        );
        let waited = wait(&mock, &path).exits(5);
        let operation = intent["operation"].as_str().expect("an operation");
        for expected in [
            operation,
            intent["at"].as_str().expect("a time"),
            "may have started",
        ] {
            waited.stderr_has(expected);
        }
        waited.stderr_has("dashboard");
        let files = fs::read_dir(directory.path()).expect("a directory").count();
        assert_eq!(files, 1, "no temporary file stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_start_replaces_an_older_handle() {
    for status in [400, 401, 403, 404, 422, 425] {
        let mock = mock_with_passed_run().await;
        let (_directory, path) = older_handle();
        mock.fault(Fault::status(status).on_operation("run_suite").always());
        let started = checksum(&mock.url(), "run suite --handle-file")
            .argument(&path)
            .end();
        assert!([2, 4, 5].contains(&started.code), "{started:?}");
        started.stderr_lacks("may have started");
        assert_eq!(content(&path)["notStarted"]["operation"], "run_suite");
        wait(&mock, &path).exits(2).stderr_has("was not started");
    }
    // No connection is made.
    let mock = mock_with_passed_run().await;
    let (_directory, path) = older_handle();
    let nowhere = checksum("http://127.0.0.1:1", "run suite --timeout 0s --handle-file");
    nowhere
        .argument(&path)
        .end()
        .exits(5)
        .stderr_lacks("may have started");
    wait(&mock, &path).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_request_leaves_the_file_unchanged() {
    let mock = mock_with_passed_run().await;
    let (_directory, path) = older_handle();
    for arguments in [
        "run suite --auto-heal --handle-file",
        "heal x --pr 0 --handle-file",
    ] {
        checksum(&mock.url(), arguments)
            .argument(&path)
            .end()
            .exits(2);
    }
    assert_eq!(content(&path)["run"]["jobName"], "job-of-an-earlier-run");
    let directory = path.parent().expect("a directory");
    checksum(&mock.url(), "run suite --handle-file")
        .argument(directory)
        .end()
        .exits(2);
    assert_eq!(mock.request_count(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_start_replaces_an_older_handle() {
    let mock = mock_with_passed_run().await;
    mock.fault(Fault::hang().on_operation("run_suite").always());
    let (directory, path) = older_handle();
    let start = checksum(&mock.url(), "run suite --handle-file").argument(&path);
    let mut child = start.spawn();
    wait_until("the request arrives", || mock.request_count() == 1);
    child.kill().expect("killed");
    child.wait().expect("gone");
    wait(&mock, &path).exits(5);
    assert_eq!(
        fs::read_dir(directory.path()).expect("a directory").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handle_is_stored_before_it_is_printed() {
    use std::io::{BufRead, BufReader};

    let mock = start_mock().await;
    mock.next_run(RunScript::new().never_finishes());
    let (_directory, path) = older_handle();
    let start = checksum(&mock.url(), "run suite --handle-file").argument(&path);
    let mut child = start.spawn();
    let lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
    let started = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("started "));
    let run = content(&path)["run"].clone();
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(started.is_some_and(|line| line.contains("job-name-12345")));
    assert_eq!(run["jobName"], "job-name-12345");
    assert!(run["startedAt"].is_string(), "{run}");
}

/// The service may not know the run right after its start. The handle contains that time.
#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_tolerated_right_after_the_start_of_a_handle() {
    let mock = start_mock().await;
    let (_directory, path) = older_handle();
    let start = checksum(&mock.url(), "run suite --detach --handle-file").argument(&path);
    assert_eq!(start.end().code, 0);
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation).times(3));
    }
    wait(&mock, &path).exits(0);

    let old = r#"{"run":{"jobName":"job-name-12345","startedAt":"2020-02-20T20:20:20Z"}}"#;
    fs::write(&path, old).expect("written");
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation));
    }
    wait(&mock, &path).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_starts_with_the_same_file_all_succeed() {
    let mock = start_mock().await;
    let (_directory, path) = older_handle();
    let children: Vec<_> = (0..12)
        .map(|_| {
            let start = checksum(&mock.url(), "run suite --detach --handle-file");
            start.argument(&path).spawn()
        })
        .collect();
    for child in children {
        crate::invocation::ended(child.wait_with_output().expect("an end")).exits(0);
    }
    assert!(content(&path)["run"]["jobName"].is_string());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_shell_opened_is_appended_to() {
    let mock = start_mock().await;
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("log");
    fs::write(&log, "an older line\n").expect("written");
    let shell = format!(
        "exec {} run suite --detach --handle-file /dev/stdout >> {}",
        env!("CARGO_BIN_EXE_checksum"),
        log.display()
    );
    let ended = std::process::Command::new("sh")
        .args(["-c", &shell])
        .env("CHECKSUM_API_KEY", crate::invocation::KEY)
        .env("CHECKSUM_API_BASE_URL", mock.url())
        .output()
        .expect("an end");
    assert!(ended.status.success(), "{ended:?}");
    let text = fs::read_to_string(&log).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!((lines[0], lines[2]), ("an older line", "job-name-12345"));
    assert!(lines[1].contains(r#""jobName":"job-name-12345""#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn detached_work_is_resumed_by_name_or_by_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("handle.json");
    let file = file.to_str().expect("UTF-8");
    let heal = format!("heal {TEST_RUN} --no-create-pr");
    let generate = "generate --repo acme-co/webapp --pr 42 --branch feature";
    let mut all = String::new();
    for (start, wait) in [
        ("run suite", "wait job-name-12346 --poll-interval 0s"),
        (heal.as_str(), "wait --heal-batch batch-xyz-789"),
        (generate, "wait --generation-batch batch-gen-1"),
    ] {
        let mock = after_a_run().await;
        let detached = format!("{start} --detach --handle-file {file}");
        all += &transcript(&mock, &detached, 0);
        let stored = fs::read_to_string(file).expect("a file");
        all += &format!("$ cat [file]\n{}\n", with_fixed_times(&stored));
        let by_file = format!("wait --handle-file {file} --poll-interval 0s");
        let by_file = exec(&mock, &by_file).exits(0);
        all += &transcript_of(
            &mock,
            "wait --handle-file [file] --poll-interval 0s",
            &by_file,
        );
        let by_name = exec(&mock, wait).exits(0);
        assert_eq!(by_name.stdout, by_file.stdout);
    }
    insta::assert_snapshot!("detached", all.replace(file, "[file]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unwritable_handle_file_prevents_the_start() {
    let mock = start_mock().await;
    exec(&mock, "run suite --handle-file nowhere/at/all.json").exits(2);
    assert_eq!(mock.request_count(), 0);
}
