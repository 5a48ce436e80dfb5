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
        (Fault::status(502).and_handle(), false, true),
        (Fault::raw("HTTP/1.1 200 OK\r\n\r\n"), true, false),
        (Fault::reset_before_reading(), true, false),
        (Fault::reset_in_body(), true, true),
        (Fault::slow_body(Duration::ZERO), false, true),
        (Fault::fields(json!({ "name": null })), false, true),
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

#[tokio::test]
async fn fields_of_a_response_are_changed_added_and_removed() {
    let server = server();
    let patch = json!({ "status": "queued", "name": null, "new": { "a": [1] } });
    let before = server.start_suite().await;
    let path = format!("/v1/execution/status/{before}");
    server.fault(Fault::fields(patch).on_operation("get_run_status"));
    server.fault(Fault::fields(json!({ "status": 1 })));
    let changed = server.get(&path).await.ok();
    assert_eq!(changed["status"], "queued");
    assert_eq!(changed["new"], json!({ "a": [1] }));
    assert_eq!(changed.get("name"), None);
    assert_eq!(server.get(&path).await.ok()["status"], 1);
    assert_ne!(server.get(&path).await.ok()["status"], 1);
}

#[tokio::test]
async fn a_body_is_compressed_once() {
    let server = server();
    server.fault(Fault::respond_with(vec![b' '; 1_000_000]).gzip());
    let response = server.get("/v1/me").await;
    assert_eq!(response.headers["content-encoding"], "gzip");
    let body = response.body.unwrap();
    assert!(body.starts_with(&[0x1f, 0x8b]), "it is gzip");
    assert!(body.len() < 20_000, "{}", body.len());
}

#[tokio::test]
async fn a_probability_has_a_seed() {
    let statuses = async |probability, seed| {
        let server = server();
        server.fault(Fault::status(500).always().probability(probability, seed));
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(server.get("/v1/me").await.status);
        }
        statuses
    };
    let some = statuses(0.2, 7).await;
    let failed = some.iter().filter(|status| **status == 500).count();
    assert!((10..=30).contains(&failed), "{failed}");
    assert_eq!(statuses(0.2, 7).await, some);
    assert_ne!(statuses(0.2, 8).await, some);
    assert_eq!(statuses(0.0, 7).await, [200; 100]);
    assert_eq!(statuses(1.0, 7).await, [500; 100]);
}
