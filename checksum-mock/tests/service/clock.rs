use std::time::Duration;

use checksum_mock::{Clock, Mock, RunScript};

use crate::client::Client;

#[tokio::test(start_paused = true)]
async fn runs_follow_the_paused_clock_of_tokio() {
    let mock = Mock::builder()
        .clock(Clock::scaled(60.0))
        .default_run(RunScript::new().queued(Duration::from_secs(60)))
        .without_socket();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let path = format!("/v1/execution/status/{job}");
    tokio::time::advance(Duration::from_millis(999)).await;
    assert_eq!(client.get(&path).await.ok()["status"], "queued");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(client.get(&path).await.ok()["status"], "running");
}

#[tokio::test]
async fn many_runs_end_in_the_order_of_their_times() {
    let mock = Mock::builder().clock(Clock::manual()).without_socket();
    let client = Client::of(&mock);
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for count in 1..=100 {
        mock.next_run(RunScript::new().queued(0).running(minutes(101 - count)));
        client.start_suite().await;
    }
    let latest = async || client.get("/v1/test-runs/latest").await.json()["id"].clone();
    mock.clock().advance(minutes(50));
    assert_eq!(latest().await, "00000000-0000-4000-8000-000000000051");
    mock.clock().advance(minutes(50));
    assert_eq!(latest().await, "00000000-0000-4000-8000-000000000001");
}
