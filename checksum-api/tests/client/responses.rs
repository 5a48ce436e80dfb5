//! What the client makes of responses.

use std::time::Duration;

use checksum_api::ErrorKind;
use checksum_api::types::RunState;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::{KEY, builder, json as respond, server, status_of};

#[tokio::test]
async fn an_error_keeps_its_status_and_headers_with_any_body() {
    for body in ["<html>bad gateway</html>", "", "{\"message\": 7}", "{"] {
        let response = ResponseTemplate::new(503)
            .insert_header("retry-after", "7")
            .insert_header("x-request-id", "abc")
            .set_body_raw(body, "application/json");
        let (_server, client) = server(response).await;

        let error = status_of(&client).await.expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.request_id(), Some("abc"));
        let response = error.response().expect("a response");
        assert_eq!(response.body, body);
        assert_eq!(response.headers["retry-after"], "7");
    }
}

#[tokio::test]
async fn an_unknown_state_decodes_and_is_kept() {
    let (_server, client) = server(respond(&json!({"status": "brand-new"}))).await;
    let status = status_of(&client).await.expect("a status");
    assert_eq!(
        status.status,
        RunState::Unrecognised("brand-new".to_owned())
    );
}

#[tokio::test]
async fn unknown_fields_are_kept() {
    let response = json!({"status": "running", "shards": [{"of": 2}]});
    let (_server, client) = server(respond(&response)).await;
    let status = status_of(&client).await.expect("a status");
    assert_eq!(status.extra["shards"], json!([{"of": 2}]));
    assert_eq!(serde_json::to_value(&status).expect("JSON"), response);
}

#[tokio::test]
async fn counts_are_unsigned() {
    let response = json!({"status": "passed", "passed": u64::MAX});
    let (_server, client) = server(respond(&response)).await;
    let status = status_of(&client).await.expect("a status");
    assert_eq!(status.passed, Some(u64::MAX.into()));
}

#[tokio::test]
async fn a_body_above_the_limit_is_an_error() {
    let response = json!({"status": "running", "noise": "x".repeat(200_000)});
    let (server, _) = server(respond(&response)).await;
    let client = builder(&server.uri()).max_response_bytes(100_000);
    let client = client.build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert!(
        error.to_string().contains("larger than 100000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_prints_an_excerpt_and_neither_headers_nor_the_key() {
    let response = ResponseTemplate::new(500)
        .insert_header("set-cookie", "session=private")
        .set_body_string(format!("you sent {KEY}: {}", "<p>no</p> ".repeat(100_000)));
    let (_server, client) = server(response).await;
    let error = status_of(&client).await.expect_err("an error");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(text.len() < 1_000, "{}", text.len());
        assert!(text.contains("you sent ***"), "{text}");
        assert!(!text.contains("private") && !text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn the_status_says_whether_the_request_may_have_taken_effect() {
    for (status, transient, may_have_taken_effect) in [
        (400, false, false),
        (401, false, false),
        (404, false, false),
        (408, true, true),
        (425, true, false),
        (429, true, false),
        (500, true, true),
        (504, true, true),
    ] {
        let (_server, client) = server(ResponseTemplate::new(status)).await;
        let error = client.run_suite().execute().await.expect_err("an error");
        assert_eq!(error.is_transient(), transient, "{status}: {error:?}");
        assert_eq!(
            error.may_have_taken_effect(),
            may_have_taken_effect,
            "{status}"
        );
    }
}
