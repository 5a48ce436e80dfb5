//! What invocations print, for snapshots.

use checksum_mock::{Mock, RunScript};

use crate::invocation::{Ended, exec, start_mock, with_fixed_times};

/// The id of the test run of [`after_a_run`].
pub(crate) const TEST_RUN: &str = "00000000-0000-4000-8000-000000000001";

pub(crate) const FORMATS: [&str; 3] = ["text", "json", "ndjson"];

/// Starts a mock server with one run that ended with failed tests.
pub(crate) async fn after_a_run() -> Mock {
    let mock = start_mock().await;
    mock.next_run(RunScript::new().fail_tests(["test-def-456", "test-ghi-789"]));
    exec(&mock, "run suite --poll-interval 0s --quiet").exits(1);
    mock
}

/// Runs a command, and returns what it printed, without the port of the mock server.
#[track_caller]
pub(crate) fn transcript(mock: &Mock, arguments: &str, code: i32) -> String {
    transcript_of(mock, arguments, &exec(mock, arguments).exits(code))
}

/// Returns what a command printed, without the port of the mock server.
pub(crate) fn transcript_of(mock: &Mock, arguments: &str, ended: &Ended) -> String {
    let mut text = format!("$ checksum {arguments}\n{}", ended.stdout);
    if !ended.stderr.is_empty() {
        text += &format!("--- standard error\n{}", ended.stderr);
    }
    text += &format!("--- exit code {}\n\n", ended.code);
    let origin = mock.url().replace("/public-api", "");
    with_fixed_times(&text.replace(&origin, "http://[mock]"))
}
