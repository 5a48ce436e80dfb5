use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock};
use serde_json::json;
use tokio::time::Instant;

use crate::client::{Client, mock};

const FIRST: &str = "/v1/execution/status/job-name-12345";

#[tokio::test]
async fn an_answer_can_be_any() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.fault(
        Fault::status(503)
            .header("retry-after", "2")
            .header("content-type", "text/html")
            .body("<html>busy</html>"),
    );
    mock.fault(Fault::respond_with("[1, 2"));
    mock.fault(Fault::status(204));
    let busy = client.get("/v1/me").await;
    assert_eq!(busy.status, 503);
    assert_eq!(busy.headers["retry-after"], "2");
    assert_eq!(busy.headers["content-type"], "text/html");
    assert_eq!(busy.body.unwrap(), b"<html>busy</html>");
    let broken = client.get("/v1/me").await;
    assert_eq!(
        (broken.status, broken.body.unwrap()),
        (200, b"[1, 2".to_vec())
    );
    let empty = client.get("/v1/me").await;
    assert_eq!((empty.status, empty.body.unwrap()), (204, Vec::new()));
    client.get("/v1/me").await.ok();
}

#[tokio::test]
async fn it_happens_to_one_operation_after_some_calls_and_for_some_times() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.fault(
        Fault::status(500)
            .on_operation("get_project")
            .after(1)
            .times(2),
    );
    mock.fault(Fault::status(502).on_operation("list_bugs").always());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let project = client.get("/v1/me").await.status;
        statuses.push((
            project,
            client.get("/v1/health-dashboard/bugs").await.status,
        ));
    }
    assert_eq!(statuses, [(200, 502), (500, 502), (500, 502), (200, 502)]);
}

#[test]
#[should_panic(expected = "there is no operation `get_projects`")]
fn an_operation_that_is_not_there_is_a_mistake() {
    let _ = Fault::status(500).on_operation("get_projects");
}

#[tokio::test]
async fn an_answer_in_place_of_the_services_leaves_it_alone() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.fault(Fault::status(503).on_operation("run_suite"));
    client.post("/v1/execution/suite", json!({})).await;
    client.get(FIRST).await.rejection(404);
}

#[tokio::test]
async fn a_reset_happens_before_or_after_the_service_acts() {
    for (fault, acts) in [
        (Fault::reset_before_handling(), false),
        (Fault::reset_after_handling(), true),
    ] {
        let mock = mock();
        let client = Client::of(&mock);
        mock.fault(fault);
        let response = client.post("/v1/execution/suite", json!({})).await;
        assert!(response.body.is_err());
        assert_eq!(client.get(FIRST).await.status == 200, acts);
    }
}

#[tokio::test]
async fn a_truncated_answer_breaks_off() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.fault(Fault::truncated());
    let response = client.post("/v1/execution/suite", json!({})).await;
    assert!(response.body.is_err());
    client.get(FIRST).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_one_on_the_clock_and_the_service_has_acted_meanwhile() {
    let mock = Mock::builder().clock(Clock::scaled(60.0)).without_socket();
    let client = Client::of(&mock);
    mock.fault(Fault::delay(Duration::from_secs(60)));
    let started = Instant::now();
    let late = client.post("/v1/execution/suite", json!({}));
    let hasty = tokio::time::timeout(Duration::from_millis(999), late).await;
    assert!(hasty.is_err());
    client.get(FIRST).await.ok();

    mock.fault(Fault::delay(Duration::from_secs(60)));
    let waited_from = started.elapsed();
    client.get("/v1/me").await.ok();
    assert_eq!(started.elapsed() - waited_from, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_stay_out() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.fault(Fault::hang());
    let day = Duration::from_secs(24 * 60 * 60);
    let silent = client.post("/v1/execution/suite", json!({}));
    assert!(tokio::time::timeout(day, silent).await.is_err());
    client.get(FIRST).await.rejection(404);
    assert_eq!(mock.requests().len(), 2);
}
