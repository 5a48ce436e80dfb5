//! Losing the process loses nothing.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock, RunScript};

use crate::invocation::{checksum, ended};

/// Reads what the process says up to its job name.
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

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

/// Waits until the process has sent so many requests.
async fn requests(mock: &Mock, count: u64, child: &mut Child) {
    for _ in 0..10_000_000 {
        if mock.request_count() >= count {
            return;
        }
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before it asked: {ended:?}");
        tokio::task::yield_now().await;
    }
    panic!("it does not ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_wait_is_taken_up_by_its_name_or_its_file() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.fault(Fault::hang().on_operation("get_run_status"));
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(2)
            .fail_tests(["test-def-456"]),
    );
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("run.json");
    let invocation = checksum(&mock.url(), "run suite --run-id-file").argument(&file);
    let mut child = invocation.spawn();
    let name = job_name(&mut child);
    // It looks when everything before that is done.
    requests(&mock, 2, &mut child).await;
    child.kill().expect("killed");
    child.wait().expect("gone");

    for resumed in [
        checksum(&mock.url(), "wait --poll-interval 0s").argument(&name),
        checksum(&mock.url(), "wait --poll-interval 0s --run-id-file").argument(&file),
    ] {
        let ended = resumed.end();
        assert_eq!(ended.code, 1, "{ended:?}");
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
async fn signals_end_the_wait_and_not_the_run() {
    for (name, code, word) in [
        ("HUP", 129, "hung up"),
        ("INT", 130, "interrupted"),
        ("TERM", 143, "terminated"),
    ] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.fault(Fault::hang().on_operation("get_run_status"));
        let mut child = checksum(&mock.url(), "run suite").spawn();
        job_name(&mut child);
        signal(&child, name);
        let ended = ended(child.wait_with_output().expect("the command ends"));
        assert_eq!(ended.code, code, "{ended:?}");
        let said = format!("error: {word}; the run goes on\n");
        assert!(ended.stderr.contains(&said), "{ended:?}");
        assert!(
            ended.stderr.contains("checksum wait job-name-12345"),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_during_the_start_says_what_is_not_known() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.fault(Fault::hang().on_operation("run_suite"));
    let mut child = checksum(&mock.url(), "run suite").spawn();
    requests(&mock, 1, &mut child).await;
    signal(&child, "TERM");
    let ended = ended(child.wait_with_output().expect("the command ends"));
    assert_eq!(ended.code, 143, "{ended:?}");
    assert!(ended.stderr.contains("it may have started"), "{ended:?}");
    assert!(ended.stderr.contains("look at the dashboard"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_leaves_no_part_of_a_download() {
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.next_run(RunScript::new().queued(0).running(0));
        checksum(&mock.url(), "run suite --detach").end();
        // The report, and not its address.
        mock.fault(Fault::hang().after(1));
        let directory = tempfile::tempdir().expect("a directory");
        let entries = || std::fs::read_dir(directory.path()).expect("there").count();
        let arguments = "report 00000000-0000-4000-8000-000000000001 --download";
        let path = directory.path().join("report.html");
        let mut child = checksum(&mock.url(), arguments).argument(path).spawn();
        requests(&mock, 3, &mut child).await;
        assert_eq!(entries(), 1, "a part of the report");
        signal(&child, name);
        let ended = ended(child.wait_with_output().expect("the command ends"));
        assert_eq!(ended.code, code, "{ended:?}");
        assert_eq!(entries(), 0, "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn signals_that_were_ignored_at_the_start_stay_ignored() {
    for (ignored, sent, code) in [
        ("INT", "INT", 0),
        ("TERM", "TERM", 0),
        ("HUP", "HUP", 0),
        ("HUP INT TERM", "HUP INT TERM", 0),
        ("INT", "INT TERM", 143),
        ("TERM", "HUP", 129),
    ] {
        let mock = Mock::builder().clock(Clock::manual()).start().await;
        let mock = mock.expect("a stand-in");
        mock.next_run(RunScript::new().queued(0).running(0));
        let minute = Duration::from_secs(60);
        mock.fault(Fault::delay(minute).on_operation("get_run_status"));
        let invocation = checksum(&mock.url(), "run suite").ignoring(ignored);
        let mut child = invocation.spawn();
        job_name(&mut child);
        requests(&mock, 2, &mut child).await;
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
async fn a_second_signal_ends_a_command_that_is_held_by_its_reader() {
    let mock = Mock::start().await.expect("a stand-in");
    // More than a pipe takes that nobody reads.
    let title = "x".repeat(2_000_000);
    let page = format!(r#"{{"bugs":[{{"id":"a","title":"{title}"}}],"total":0}}"#);
    let page = Fault::respond_with(page).header("content-type", "application/json");
    mock.fault(page.on_operation("list_bugs").always());
    let mut child = checksum(&mock.url(), "bugs --limit 1 --output json").spawn();
    let stdout = child.stdout.as_mut().expect("standard output");
    stdout.read_exact(&mut [0]).expect("a beginning");
    for _ in 0..10_000 {
        signal(&child, "TERM");
        if let Some(status) = child.try_wait().expect("a child") {
            assert_eq!(status.code(), Some(143), "{status:?}");
            return;
        }
    }
    child.kill().expect("killed");
    panic!("it does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_before_anything_is_started_says_so() {
    let mock = Mock::builder().observed().start().await.expect("a mock");
    mock.fault(Fault::hang().on_operation("find_affected_tests"));
    let run = checksum(&mock.url(), "run affected a.ts --output json");
    let mut child = run.spawn();
    requests(&mock, 1, &mut child).await;
    signal(&child, "TERM");
    let ended = ended(child.wait_with_output().expect("an end"));
    assert_eq!(ended.code, 143, "{ended:?}");
    let line = ended.lines().last().expect("a line");
    assert_eq!(line["started"], "no", "{ended:?}");
}
