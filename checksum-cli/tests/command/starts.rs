//! What a file of `--run-id-file` says at each moment of a start, so that nobody waits for a run of an
//! earlier job, starts one twice, or takes one for lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use checksum_mock::{Fault, Mock, RunScript};
use serde_json::Value;

use crate::invocation::{Ended, checksum};

/// A file that an earlier job has left, and the folder that it is in.
fn of_an_earlier_job() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    fs::write(&path, r#"{"run":{"jobName":"job-of-an-earlier-job"}}"#).expect("written");
    (folder, path)
}

fn held(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

fn wait(mock: &Mock, path: &Path) -> Ended {
    let wait = checksum(&mock.url(), "wait --poll-interval 0s --run-id-file");
    wait.argument(path).end()
}

/// A stand-in on which the earlier job's run has passed.
async fn mock() -> Mock {
    let mock = Mock::start().await.expect("a stand-in");
    let passed = r#"{"status":"passed","passed":1,"failed":0}"#;
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::respond_with(passed).on_operation(operation).always());
    }
    mock
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_may_have_happened_leaves_no_older_handle() {
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
        let mock = mock().await;
        let (folder, path) = of_an_earlier_job();
        mock.fault(fault.always());
        let started = checksum(&mock.url(), &format!("{start} --run-id-file"));
        let started = started.argument(&path).end();
        assert_eq!(started.code, 5, "{start}: {started:?}");
        let hint = "held run job-of-an-earlier-job; come back with `checksum wait";
        assert!(started.stderr.contains(hint), "{started:?}");

        let text = fs::read_to_string(&path).expect("a file");
        assert!(
            !text.contains("hunter2") && !text.contains("earlier"),
            "{text}"
        );
        let intent = &held(&path)["intent"];
        assert_eq!(
            intent["fingerprint"].as_str().map(str::len),
            Some(16),
            "{intent}"
        );
        let waited = wait(&mock, &path);
        assert_eq!(waited.code, 5, "{waited:?}");
        let operation = intent["operation"].as_str().expect("an operation");
        for said in [
            operation,
            intent["at"].as_str().expect("a time"),
            "may have started",
        ] {
            assert!(waited.stderr.contains(said), "{said}: {waited:?}");
        }
        assert!(waited.stderr.contains("dashboard"), "{waited:?}");
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 1, "no temporary file stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_refused_leaves_no_older_handle() {
    for status in [400, 401, 403, 404, 422, 425] {
        let mock = mock().await;
        let (_folder, path) = of_an_earlier_job();
        mock.fault(Fault::status(status).on_operation("run_suite").always());
        let started = checksum(&mock.url(), "run suite --run-id-file")
            .argument(&path)
            .end();
        assert!([2, 4, 5].contains(&started.code), "{started:?}");
        assert!(!started.stderr.contains("may have started"), "{started:?}");
        assert_eq!(held(&path)["notStarted"]["operation"], "run_suite");
        let waited = wait(&mock, &path);
        assert_eq!(waited.code, 2, "{waited:?}");
        assert!(waited.stderr.contains("was not started"), "{waited:?}");
    }
    // Nobody listens: no connection was made.
    let mock = mock().await;
    let (_folder, path) = of_an_earlier_job();
    let nowhere = checksum("http://127.0.0.1:1", "run suite --timeout 0s --run-id-file");
    let started = nowhere.argument(&path).end();
    assert_eq!(started.code, 5, "{started:?}");
    assert!(!started.stderr.contains("may have started"), "{started:?}");
    assert_eq!(wait(&mock, &path).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_valid_leaves_the_file_as_it_was() {
    let mock = mock().await;
    let (_folder, path) = of_an_earlier_job();
    for arguments in [
        "run suite --auto-heal --run-id-file",
        "heal x --pr 0 --run-id-file",
    ] {
        let ended = checksum(&mock.url(), arguments).argument(&path).end();
        assert_eq!(ended.code, 2, "{ended:?}");
    }
    assert_eq!(held(&path)["run"]["jobName"], "job-of-an-earlier-job");
    let directory = path.parent().expect("a folder");
    let ended = checksum(&mock.url(), "run suite --run-id-file")
        .argument(directory)
        .end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(mock.request_count(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_killed_leaves_no_older_handle() {
    let mock = mock().await;
    mock.fault(Fault::hang().on_operation("run_suite").always());
    let (folder, path) = of_an_earlier_job();
    let start = checksum(&mock.url(), "run suite --run-id-file").argument(&path);
    let mut child = start.spawn();
    for _ in 0..10_000 {
        if mock.request_count() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(mock.request_count(), 1);
    child.kill().expect("killed");
    child.wait().expect("gone");
    let waited = wait(&mock, &path);
    assert_eq!(waited.code, 5, "{waited:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_has_the_handle_before_anybody_reads_of_it() {
    use std::io::{BufRead, BufReader};

    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().never_finishes());
    let (_folder, path) = of_an_earlier_job();
    let start = checksum(&mock.url(), "run suite --run-id-file").argument(&path);
    let mut child = start.spawn();
    let lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
    let started = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("started "));
    let run = held(&path)["run"].clone();
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(started.is_some_and(|line| line.contains("job-name-12345")));
    assert_eq!(run["jobName"], "job-name-12345");
    assert!(run["startedAt"].is_string(), "{run}");
}

/// Right after a start the service may not know the run yet. The file tells when that was.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_just_detached_may_be_unknown_for_a_while() {
    let mock = Mock::start().await.expect("a stand-in");
    let (_folder, path) = of_an_earlier_job();
    let start = checksum(&mock.url(), "run suite --detach --run-id-file").argument(&path);
    assert_eq!(start.end().code, 0);
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation).times(3));
    }
    let waited = wait(&mock, &path);
    assert_eq!(waited.code, 0, "{waited:?}");

    let old = r#"{"run":{"jobName":"job-name-12345","startedAt":"2020-02-20T20:20:20Z"}}"#;
    fs::write(&path, old).expect("written");
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation));
    }
    assert_eq!(wait(&mock, &path).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_bounds_the_start_too() {
    let mock = Mock::start().await.expect("a stand-in");
    let busy = Fault::status(429).header("retry-after", "12");
    mock.fault(busy.on_operation("run_suite").always());
    let began = std::time::Instant::now();
    let ended = checksum(&mock.url(), "run suite --timeout 3s --output json").end();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        began.elapsed() < Duration::from_secs(11),
        "it waits for no Retry-After"
    );
    let error = ended.lines().next().expect("a line");
    assert_eq!(error["started"], "no");
    assert_eq!(mock.request_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_of_nothing_has_one_outcome() {
    for limit in ["0s", "1ms"] {
        let mock = mock().await;
        let ended = checksum(&mock.url(), &format!("wait job-1 --timeout {limit}")).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let mock = Mock::start().await.expect("a stand-in");
        mock.next_run(RunScript::new().queued(0).never_finishes());
        let ended = checksum(&mock.url(), &format!("run suite --timeout {limit}")).end();
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stderr.contains("last seen running"), "{ended:?}");
    }
}

/// The name by which a run is resumed is printed as it is, whatever the values of variables.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_holds_the_value_of_a_variable_is_printed_whole() {
    let mock = Mock::start().await.expect("a stand-in");
    for variable in ["A=job-name", "A=0000", "A=12345"] {
        for form in ["human", "json"] {
            let start = format!("run grep checkout --detach --env {variable} --output {form}");
            let started = checksum(&mock.url(), &start).end();
            assert!(started.stdout.contains("job-name-"), "{started:?}");
            assert!(
                started.stderr.contains("checksum wait job-name-"),
                "{started:?}"
            );
        }
    }
}

/// Processes that start with the same file neither deny each other's starts nor lose a handle.
#[tokio::test(flavor = "multi_thread")]
async fn starts_with_the_same_file_do_not_hinder_each_other() {
    let mock = Mock::start().await.expect("a stand-in");
    let (_folder, path) = of_an_earlier_job();
    let children: Vec<_> = (0..12)
        .map(|_| {
            let start = checksum(&mock.url(), "run suite --detach --run-id-file");
            start.argument(&path).spawn()
        })
        .collect();
    for child in children {
        let ended = crate::invocation::ended(child.wait_with_output().expect("an end"));
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert!(held(&path)["run"]["jobName"].is_string());
}

/// Right after a start by name alone the service may not know the run yet either.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_just_printed_may_be_unknown_for_a_moment() {
    let mock = Mock::start().await.expect("a stand-in");
    checksum(&mock.url(), "run suite --detach").end();
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation).times(3));
    }
    let waited = checksum(&mock.url(), "wait job-name-12345 --poll-interval 0s").end();
    assert_eq!(waited.code, 0, "{waited:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_shell_has_opened_is_written_to_and_not_replaced() {
    let mock = Mock::start().await.expect("a stand-in");
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    fs::write(&log, "an older line\n").expect("written");
    let shell = format!(
        "exec {} run suite --detach --run-id-file /dev/stdout >> {}",
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
