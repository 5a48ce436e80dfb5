use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Clock, Mock};
use http::Request;
use serde_json::{Value, json};

use crate::client::{Client, mock};

#[tokio::test]
async fn a_request_is_recorded_as_it_came() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.clock().advance(Duration::from_secs(3));
    client
        .get("/v1/health-dashboard/bugs?tags=a&tags=b%20c")
        .await
        .ok();
    let body = json!({ "grep": "checkout" });
    client.post("/v2/execution/grep", body.clone()).await.ok();
    client.get("/v1/unknown").await.rejection(404);

    let [bugs, grep, unknown] = mock.requests().try_into().unwrap();
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
}

#[tokio::test]
async fn no_key_is_recorded_or_shown() {
    let builder = Mock::builder().api_key("s3cret").clock(Clock::manual());
    let mut shown = format!("{builder:?}");
    let mock = builder.without_socket();
    let client = Client::of(&mock);
    for (name, value) in [
        ("authorization", "Bearer s3cret"),
        ("authorization", "s3cret"),
        ("authorization", "s3cret of mine"),
        ("ChecksumAppCode", "s3cret"),
        ("cookie", "session=s3cret"),
    ] {
        let request = Request::get("/public-api/v1/me").header(name, value);
        client.send(request.body(Body::empty()).unwrap()).await;
    }
    let requests = mock.requests();
    assert_eq!(requests[0].header("authorization"), Some("Bearer ***"));
    shown += &format!("{mock:?} {requests:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_record_is_bounded() {
    let mock = Mock::builder().max_recorded_requests(2).without_socket();
    let client = Client::of(&mock);
    for path in ["/v1/me", "/v1/a", "/v1/b"] {
        client.get(path).await;
    }
    let paths: Vec<_> = mock.requests().into_iter().map(|kept| kept.path).collect();
    assert_eq!(paths, ["/public-api/v1/a", "/public-api/v1/b"]);
    assert_eq!(mock.request_count(), 3);
}

#[tokio::test]
async fn a_record_is_bounded_in_bytes() {
    let mock = Mock::builder().max_memory(10_000).without_socket();
    let client = Client::of(&mock);
    let large = |length: usize| json!({ "grep": "x".repeat(length) });
    for length in [1, 4_000, 4_001, 4_002] {
        client.post("/v1/execution/grep", large(length)).await.ok();
    }
    let bodies: Vec<_> = mock.requests().into_iter().map(|kept| kept.body).collect();
    assert_eq!(bodies, [large(4_001), large(4_002)]);

    let larger_than_the_limit = large(20_000);
    client
        .post("/v1/execution/grep", larger_than_the_limit)
        .await
        .ok();
    assert_eq!(mock.requests(), []);
    assert_eq!(mock.request_count(), 5);
}

#[tokio::test]
async fn what_is_kept_of_large_requests_has_a_default_bound() {
    let mock = mock();
    let client = Client::of(&mock);
    let body = json!({ "grep": "x".repeat(2_000_000) });
    for _ in 0..50 {
        client
            .post("/v1/unknown", body.clone())
            .await
            .rejection(404);
    }
    let kept = mock.requests();
    assert!((25..=33).contains(&kept.len()), "{}", kept.len());
}
