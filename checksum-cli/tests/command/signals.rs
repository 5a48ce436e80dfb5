//! Signals and killed processes: no run is lost.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock, RunScript};

use crate::invocation::{checksum, ended, exec, start_mock, wait_until};

/// Reads standard error up to the job name.
fn job_name(child: &mut Child) -> String {
    let stderr = child.stderr.take().expect("standard error");
    let mut lines = BufReader::new(stderr);
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    child.stderr = Some(lines.into_inner());
    let name = line
        .strip_prefix("started ")
        .and_then(|rest| rest.split(';').next());
    name.expect("a name").to_owned()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

/// Waits until the process sent this many requests.
#[track_caller]
fn wait_for_requests(mock: &Mock, count: u64, child: &mut Child) {
    wait_until("the request arrives", || {
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before the request: {ended:?}");
        mock.request_count() >= count
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_wait_is_resumed_by_name_or_by_file() {
    let mock = start_mock().await;
    mock.fault(Fault::hang().on_operation("get_run_status"));
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(2)
            .fail_tests(["test-def-456"]),
    );
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("run.json");
    let invocation = checksum(&mock.url(), "run suite --handle-file").argument(&file);
    let mut child = invocation.spawn();
    let name = job_name(&mut child);
    // The first poll comes after the handle is stored.
    wait_for_requests(&mock, 2, &mut child);
    child.kill().expect("killed");
    child.wait().expect("gone");

    for resumed in [
        checksum(&mock.url(), "wait --poll-interval 0s").argument(&name),
        checksum(&mock.url(), "wait --poll-interval 0s --handle-file").argument(&file),
    ] {
        let ended = resumed.end().exits(1);
        let verdict = "job-name-12345: failed (5 passed, 1 failed";
        assert!(ended.stdout.starts_with(verdict), "{ended:?}");
    }
    let starts = mock
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST");
    assert_eq!(starts.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_stop_the_wait_and_not_the_run() {
    for (name, code, word) in [
        ("HUP", 129, "hung up"),
        ("INT", 130, "interrupted"),
        ("TERM", 143, "terminated"),
    ] {
        let mock = start_mock().await;
        mock.fault(Fault::hang().on_operation("get_run_status"));
        let mut child = checksum(&mock.url(), "run suite").spawn();
        job_name(&mut child);
        signal(&child, name);
        let ended = ended(child.wait_with_output().expect("the command ends")).exits(code);
        let expected = format!("error: {word}; the run goes on\n");
        ended.stderr_has(&expected);
        ended.stderr_has("checksum wait job-name-12345");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_during_the_start_reports_that_it_may_have_started() {
    let mock = start_mock().await;
    mock.fault(Fault::hang().on_operation("run_suite"));
    let mut child = checksum(&mock.url(), "run suite").spawn();
    wait_for_requests(&mock, 1, &mut child);
    signal(&child, "TERM");
    ended(child.wait_with_output().expect("the command ends"))
        .exits(143)
        .stderr_has("it may have started")
        .stderr_has("check the dashboard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_removes_a_partial_download() {
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let mock = start_mock().await;
        mock.next_run(RunScript::new().queued(0).running(0));
        exec(&mock, "run suite --detach");
        // The report itself, not its URL.
        mock.fault(Fault::hang().after(1));
        let directory = tempfile::tempdir().expect("a directory");
        let entries = || std::fs::read_dir(directory.path()).expect("there").count();
        let arguments = "report 00000000-0000-4000-8000-000000000001 --download";
        let path = directory.path().join("report.html");
        let mut child = checksum(&mock.url(), arguments).argument(path).spawn();
        wait_for_requests(&mock, 3, &mut child);
        assert_eq!(entries(), 1, "a part of the report");
        signal(&child, name);
        let ended = ended(child.wait_with_output().expect("the command ends")).exits(code);
        assert_eq!(entries(), 0, "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn inherited_ignored_signals_stay_ignored() {
    for (ignored, sent, code) in [
        ("INT", "INT", 0),
        ("TERM", "TERM", 0),
        ("HUP", "HUP", 0),
        ("HUP INT TERM", "HUP INT TERM", 0),
        ("INT", "INT TERM", 143),
        ("TERM", "HUP", 129),
    ] {
        let mock = Mock::builder().clock(Clock::manual()).start().await;
        let mock = mock.expect("a mock server");
        mock.next_run(RunScript::new().queued(0).running(0));
        let minute = Duration::from_secs(60);
        mock.fault(Fault::delay(minute).on_operation("get_run_status"));
        let invocation = checksum(&mock.url(), "run suite").ignoring(ignored);
        let mut child = invocation.spawn();
        job_name(&mut child);
        wait_for_requests(&mock, 2, &mut child);
        for name in sent.split(' ') {
            signal(&child, name);
        }
        if code == 0 {
            mock.clock().advance(minute);
        }
        let ended = ended(child.wait_with_output().expect("the command ends"));
        assert_eq!(
            ended.code, code,
            "{ignored} ignored, {sent} sent: {ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_blocked_command() {
    let mock = start_mock().await;
    // More than fits into a pipe without a reader.
    let title = "x".repeat(2_000_000);
    let page = format!(r#"{{"bugs":[{{"id":"a","title":"{title}"}}],"total":0}}"#);
    let page = Fault::respond_with(page).header("content-type", "application/json");
    mock.fault(page.on_operation("list_bugs").always());
    let mut child = checksum(&mock.url(), "bugs --limit 1 --output json").spawn();
    let stdout = child.stdout.as_mut().expect("standard output");
    stdout.read_exact(&mut [0]).expect("a beginning");
    let mut status = None;
    wait_until("the command ends", || {
        // The signals before the last one have not ended it yet.
        signal(&child, "TERM");
        status = child.try_wait().expect("a child");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_during_the_lookup_reports_that_nothing_was_started() {
    let mock = Mock::builder().observed().start().await.expect("a mock");
    mock.fault(Fault::hang().on_operation("find_affected_tests"));
    let run = checksum(&mock.url(), "run affected a.ts --output json");
    let mut child = run.spawn();
    wait_for_requests(&mock, 1, &mut child);
    signal(&child, "TERM");
    let ended = ended(child.wait_with_output().expect("an end")).exits(143);
    let line = ended.last_line();
    assert_eq!(line["started"], "no", "{ended:?}");
}
