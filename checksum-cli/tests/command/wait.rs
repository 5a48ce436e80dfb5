//! `checksum wait` and `--timeout`.

use std::time::Duration;

use checksum_mock::{Fault, RunScript};

use crate::invocation::{exec, mock_with_passed_run, start_mock};

#[tokio::test(flavor = "multi_thread")]
async fn timeout_bounds_the_start() {
    let mock = start_mock().await;
    let busy = Fault::status(429).header("retry-after", "12");
    mock.fault(busy.on_operation("run_suite").always());
    let began = std::time::Instant::now();
    let ended = exec(&mock, "run suite --timeout 3s --output json").exits(5);
    assert!(
        began.elapsed() < Duration::from_secs(11),
        "it waits for Retry-After"
    );
    let error = ended.last_line();
    assert_eq!(error["started"], "no");
    assert_eq!(mock.request_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_of_zero_still_polls_once() {
    for limit in ["0s", "1ms"] {
        let mock = mock_with_passed_run().await;
        exec(&mock, format!("wait job-1 --timeout {limit}")).exits(0);
        let mock = start_mock().await;
        mock.next_run(RunScript::new().queued(0).never_finishes());
        exec(&mock, format!("run suite --timeout {limit}"))
            .exits(3)
            .stderr_has("last seen running");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_contains_the_value_of_a_variable_is_printed_completely() {
    let mock = start_mock().await;
    for variable in ["A=job-name", "A=0000", "A=12345"] {
        for format in ["text", "json"] {
            let start = format!("run grep checkout --detach --env {variable} --output {format}");
            let started = exec(&mock, &start);
            started.stdout_has("job-name-");
            started.stderr_has("checksum wait job-name-");
        }
    }
}

/// The service may not know the run right after its start.
#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_tolerated_for_a_moment_for_a_name() {
    let mock = start_mock().await;
    exec(&mock, "run suite --detach");
    for operation in ["get_run_status", "get_run_status_v2"] {
        mock.fault(Fault::status(404).on_operation(operation).times(3));
    }
    exec(&mock, "wait job-name-12345 --poll-interval 0s").exits(0);
}
