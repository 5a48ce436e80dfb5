//! Calls without an async runtime, and from threads that have one.

use std::time::{Duration, Instant};

use checksum_api_ext::blocking::Block;
use checksum_api_ext::{Event, PollPolicy};
use checksum_mock::{Mock, RunScript};

use crate::client_of;

#[test]
fn threads_share_a_client() {
    let mock = Mock::start().block().expect("a mock server");
    let checksum = client_of(&mock);
    std::thread::scope(|threads| {
        let wait = || checksum.run_suite().start().block()?.block();
        let waits: Vec<_> = (0..8).map(|_| threads.spawn(wait)).collect();
        for wait in waits {
            assert!(
                wait.join()
                    .expect("no panic")
                    .expect("a report")
                    .is_success()
            );
        }
    });
}

#[test]
fn timers_run_and_a_set_is_read() {
    let mock = Mock::start().block().expect("a mock server");
    mock.next_run(RunScript::new().never_finishes());
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().block().expect("a run");
    let mut set = checksum.watch([(&run).into()]);
    let (_, event) = set.next().block().expect("an event");
    assert!(matches!(event, Ok(Event::Changed { .. })));

    let began = Instant::now();
    let deadline = PollPolicy::fixed(Duration::from_millis(5)).deadline(Duration::from_millis(30));
    let wait = run.with_poll_policy(deadline).block();
    assert!(wait.expect_err("it goes on").is_deadline_exceeded());
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
async fn an_async_task_must_not_block() {
    async {}.block();
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn a_call_that_is_blocked_on_must_not_block() {
    async { async {}.block() }.block();
}

#[tokio::test]
async fn a_thread_for_blocking_may_block() {
    let mock = Mock::start().await.expect("a mock server");
    let checksum = client_of(&mock);
    let project = tokio::task::spawn_blocking(move || checksum.project().block());
    project.await.expect("no panic").expect("a project");
}
