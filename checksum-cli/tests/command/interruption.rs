//! Losing the process loses nothing.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use checksum_mock::{Fault, Mock, RunScript};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_wait_is_taken_up_by_its_name_or_its_file() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.fault(Fault::never_answers().on("get_run_status"));
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(2)
            .fails(["test-def-456"]),
    );
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("run.json");
    let invocation = checksum(&mock.url(), "run suite --run-id-file").argument(&file);
    let mut child = invocation.spawn();
    let name = job_name(&mut child);
    // It looks when everything before that is done.
    while mock.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
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
    for (name, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.fault(Fault::never_answers().on("get_run_status"));
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
    mock.fault(Fault::never_answers().on("run_suite"));
    let mut child = checksum(&mock.url(), "run suite").spawn();
    while mock.requests().is_empty() {
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before it asked: {ended:?}");
        tokio::task::yield_now().await;
    }
    signal(&child, "TERM");
    let ended = ended(child.wait_with_output().expect("the command ends"));
    assert_eq!(ended.code, 143, "{ended:?}");
    assert!(ended.stderr.contains("it may have started"), "{ended:?}");
    assert!(ended.stderr.contains("look at the dashboard"), "{ended:?}");
}
