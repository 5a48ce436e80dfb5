//! Faults: what the client sees, and whether the request took effect.

use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock};
use serde_json::json;
use tokio::time::Instant;

use crate::server::{SUITE, Server, server};

const FIRST: &str = "/v1/execution/status/job-name-12345";

#[tokio::test]
async fn a_response_can_be_replaced_by_any_other() {
    let server = server();
    let busy = Fault::status(503).header("retry-after", "2");
    server.fault(
        busy.header("content-type", "text/html")
            .body("<html>busy</html>"),
    );
    server.fault(Fault::respond_with("[1, 2"));
    server.fault(Fault::status(204));
    let busy = server.get("/v1/me").await;
    assert_eq!(busy.headers["retry-after"], "2");
    assert_eq!(busy.headers["content-type"], "text/html");
    let seen = |response: crate::server::Response| {
        let body = String::from_utf8(response.body.unwrap()).unwrap();
        (response.status, body)
    };
    assert_eq!(seen(busy), (503, "<html>busy</html>".to_owned()));
    assert_eq!(seen(server.get("/v1/me").await), (200, "[1, 2".to_owned()));
    assert_eq!(seen(server.get("/v1/me").await), (204, String::new()));
    server.get("/v1/me").await.ok();
}

#[tokio::test]
async fn a_fault_can_be_limited_to_some_requests_of_an_operation() {
    let server = server();
    let fault = Fault::status(500).on_operation("get_project");
    server.fault(fault.after(1).times(2));
    server.fault(Fault::status(502).on_operation("list_bugs").always());
    let status = async |path| server.get(path).await.status;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let project = status("/v1/me").await;
        statuses.push((project, status("/v1/health-dashboard/bugs").await));
    }
    assert_eq!(statuses, [(200, 502), (500, 502), (500, 502), (200, 502)]);
}

#[test]
#[should_panic(expected = "there is no operation `get_projects`")]
fn an_unknown_operation_panics() {
    let _ = Fault::status(500).on_operation("get_projects");
}

#[tokio::test]
async fn a_request_takes_effect_or_not_as_the_fault_says() {
    for (fault, is_cut, takes_effect) in [
        (Fault::status(503), false, false),
        (Fault::reset_before_handling(), true, false),
        (Fault::reset_after_handling(), true, true),
        (Fault::truncated(), true, true),
    ] {
        let server = server();
        server.fault(fault.clone().on_operation("run_suite"));
        let response = server.post(SUITE, json!({})).await;
        assert_eq!(response.body.is_err(), is_cut, "{fault:?}");
        let is_known = server.get(FIRST).await.status == 200;
        assert_eq!(is_known, takes_effect, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_request_takes_effect_at_once() {
    let server = Server::new(Mock::builder().clock(Clock::scaled(60.0)));
    server.fault(Fault::delay(Duration::from_secs(60)));
    let late = server.post(SUITE, json!({}));
    let timed_out = tokio::time::timeout(Duration::from_millis(999), late).await;
    assert!(timed_out.is_err());
    server.get(FIRST).await.ok();

    server.fault(Fault::delay(Duration::from_secs(60)));
    let started = Instant::now();
    server.get("/v1/me").await.ok();
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_request_can_hang_without_effect() {
    let server = server();
    server.fault(Fault::hang());
    let day = Duration::from_secs(24 * 60 * 60);
    let hanging = server.post(SUITE, json!({}));
    assert!(tokio::time::timeout(day, hanging).await.is_err());
    server.get(FIRST).await.rejection(404);
    assert_eq!(server.requests().len(), 2);
}
