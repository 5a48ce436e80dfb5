//! Recorded requests: their content, no secrets, and the limits.

use std::time::Duration;

use checksum_mock::Mock;
use serde_json::{Value, json};

use crate::server::{GREP, Server, server};

#[tokio::test]
async fn a_request_is_recorded_as_it_was_sent() {
    let server = server();
    server.clock().advance(Duration::from_secs(3));
    let path = "/v1/health-dashboard/bugs?tags=a&tags=b%20c";
    server.get(path).await.ok();
    let body = json!({ "grep": "checkout" });
    server.post(GREP, body.clone()).await.ok();
    server.get("/v1/unknown").await.rejection(404);

    let [bugs, grep, unknown] = server.requests().try_into().unwrap();
    assert_eq!(bugs.operation_id, Some("list_bugs"));
    assert_eq!(bugs.method, "GET");
    assert_eq!(bugs.path, "/public-api/v1/health-dashboard/bugs");
    assert_eq!(bugs.query.as_deref(), Some("tags=a&tags=b%20c"));
    assert_eq!(bugs.body, Value::Null);
    assert_eq!(bugs.at, Duration::from_secs(3));
    assert_eq!(grep.operation_id, Some("run_grep_v2"));
    assert_eq!(grep.body, body);
    assert_eq!(grep.header("Content-Type"), Some("application/json"));
    assert_eq!(unknown.operation_id, None);
    let statuses = [bugs, grep, unknown].map(|request| request.status);
    assert_eq!(statuses, [Some(200), Some(200), Some(404)]);
}

#[tokio::test]
async fn no_secret_is_recorded_or_printed() {
    let builder = Mock::builder().api_key("s3cret");
    let mut printed = format!("{builder:?}");
    let server = Server::new(builder);
    for header in [
        ("authorization", "Bearer s3cret"),
        ("authorization", "s3cret"),
        ("authorization", "s3cret of mine"),
        ("ChecksumAppCode", "s3cret"),
        ("cookie", "session=s3cret"),
    ] {
        server.get_with("/public-api/v1/me", &[header]).await;
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[0].header("authorization"), Some("Bearer ***"));
    printed += &format!("{:?} {requests:?}", *server);
    assert!(!printed.contains("s3cret"), "{printed}");
}

#[tokio::test]
async fn the_count_of_recorded_requests_is_limited() {
    let server = Server::new(Mock::builder().max_recorded_requests(2));
    for path in ["/v1/me", "/v1/a", "/v1/b"] {
        server.get(path).await;
    }
    let requests = server.requests().into_iter();
    let paths: Vec<_> = requests.map(|request| request.path).collect();
    assert_eq!(paths, ["/public-api/v1/a", "/public-api/v1/b"]);
    assert_eq!(server.request_count(), 3);
}

#[tokio::test]
async fn the_memory_of_recorded_requests_is_limited() {
    let server = Server::new(Mock::builder().max_memory(10_000));
    let large = |length: usize| json!({ "grep": "x".repeat(length) });
    for length in [1, 4_000, 4_001, 4_002] {
        server.post(GREP, large(length)).await.ok();
    }
    let requests = server.requests().into_iter();
    let bodies: Vec<_> = requests.map(|request| request.body).collect();
    assert_eq!(bodies, [large(4_001), large(4_002)]);
    // Larger than the limit.
    server.post(GREP, large(20_000)).await.ok();
    assert_eq!(server.requests(), []);
    assert_eq!(server.request_count(), 5);
}

#[tokio::test]
async fn the_memory_of_recorded_requests_is_limited_by_default() {
    let server = server();
    let body = json!({ "grep": "x".repeat(2_000_000) });
    for _ in 0..50 {
        let response = server.post("/v1/unknown", body.clone()).await;
        response.rejection(404);
    }
    let count = server.requests().len();
    assert!((25..=33).contains(&count), "{count}");
}
