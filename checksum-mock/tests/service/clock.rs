//! Runs whose phases follow the clock.

use std::time::Duration;

use checksum_mock::{Clock, Mock, RunScript};

use crate::server::{Server, server};

#[tokio::test(start_paused = true)]
async fn runs_follow_tokios_paused_time() {
    let script = RunScript::new().queued(Duration::from_secs(60));
    let builder = Mock::builder().clock(Clock::scaled(60.0));
    let server = Server::new(builder.default_run(script));
    let job = server.start_suite().await;
    tokio::time::advance(Duration::from_millis(999)).await;
    assert_eq!(server.status(&job).await["status"], "queued");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(server.status(&job).await["status"], "running");
}

#[tokio::test]
async fn many_runs_finish_in_the_order_of_their_times() {
    let server = server();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for count in 1..=100 {
        server.next_run(RunScript::new().queued(0).running(minutes(101 - count)));
        server.start_suite().await;
    }
    for expected in [51, 1] {
        server.clock().advance(minutes(50));
        let latest = server.get("/v1/test-runs/latest").await.ok();
        assert_eq!(
            latest["id"],
            format!("00000000-0000-4000-8000-{expected:012}")
        );
    }
}
