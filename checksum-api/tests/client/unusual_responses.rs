//! Responses that are broken, compressed, or not as the document says.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use checksum_api::types::RunStatus;
use checksum_api::{Error, ErrorKind, OperationId};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{KEY, builder, server, status_of};

/// Sends these bytes to one connection, and closes it.
fn respond_once(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let request = BufReader::new(stream.try_clone().expect("a handle"));
        let head = request
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty());
        assert!(head.count() > 0);
        stream.write_all(bytes).expect("written");
    });
    origin
}

#[tokio::test]
async fn unusable_responses() {
    const HTML: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<html>Sign in</html>";
    const CUT_JSON: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"status\": \"runn";
    const CUT_BODY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"status\": \"runn";
    const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    const OTHER_JSON: &[u8] =
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"state\": \"running\"}";
    const NO_HTTP: &[u8] = b"SSH-2.0-OpenSSH\r\n";
    for (bytes, kind, transient) in [
        (HTML, ErrorKind::InvalidJson, true),
        (CUT_JSON, ErrorKind::InvalidJson, true),
        (EMPTY, ErrorKind::InvalidJson, true),
        (CUT_BODY, ErrorKind::ConnectionLost, true),
        (NO_HTTP, ErrorKind::ConnectionLost, true),
        (OTHER_JSON, ErrorKind::UnexpectedBody, false),
    ] {
        let client = builder(&respond_once(bytes)).build().expect("a client");
        let error = status_of(&client).await.expect_err("an error");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.is_transient(), transient, "{error}");
        assert!(error.may_have_taken_effect(), "{error}");
        assert_eq!(
            error.operation().map(|operation| operation.id),
            Some(OperationId::GetRunStatus)
        );
    }
}

#[tokio::test]
async fn an_error_response_counts_even_if_its_body_is_cut() {
    const CUT: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 99\r\n\r\nno such job";
    let client = builder(&respond_once(CUT)).build().expect("a client");
    let error = status_of(&client).await.expect_err("404");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(error.message(), "`no such job`");
}

#[tokio::test]
async fn fields_of_unexpected_types_do_not_fail_the_response() {
    let body = serde_json::json!({
        "status": "passed",
        "passed": "45",
        "failed": null,
        "recovered": -1,
        "isTerminal": "yes",
        "verdict": {"is": "pass"},
        "bug": 3,
    });
    let (_server, client) = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let status = status_of(&client).await.expect("a status");
    assert_eq!(status.bug, Some(3.into()));
    // Fields that decide whether a run passed are kept; a text that is a number is read as one.
    assert_eq!((status.passed, status.failed), (Some(45.into()), None));
    let recovered = status.recovered.expect("it is there");
    assert_eq!(recovered.read(), None);
    let is_terminal = status.is_terminal.expect("it is there");
    assert_eq!(is_terminal.read(), None);
    assert_eq!(status.verdict.expect("it is there").read(), None);
}

#[tokio::test]
async fn a_nullable_field_may_be_missing() {
    let test = serde_json::json!({"checksumTestId": "a", "status": "passed", "tags": null});
    let tests = vec![test; 100_000];
    let body = serde_json::json!({"id": "run-id", "status": "passed", "tests": tests});
    let (_server, client) = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let results = client.get_test_run_results().id("run-id").execute();
    let results = results.await.expect("results");
    assert_eq!(results.tests.len(), 100_000);
    assert!(
        results
            .tests
            .iter()
            .all(|test| test.error_message.is_none())
    );
}

/// Decodes the tests of a run.
async fn tests_of(tests: serde_json::Value) -> Result<Vec<checksum_api::types::TestResult>, Error> {
    let body = serde_json::json!({"id": "run-id", "status": "failed", "tests": tests});
    let (_server, client) = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let results = client.get_test_run_results().id("run-id").execute();
    Ok(results.await?.tests)
}

#[tokio::test]
async fn an_invalid_element_of_an_optional_list_is_dropped() {
    let tests = tests_of(serde_json::json!([
        {"checksumTestId": "a", "status": "passed", "errorMessage": null, "tags": ["smoke"]},
        {"checksumTestId": "b", "status": "failed", "errorMessage": null, "tags": ["smoke", {}]},
    ]));
    let tests = tests.await.expect("tests");
    assert_eq!(tests[0].tags, ["smoke"]);
    assert_eq!(tests[1].tags, ["smoke"]);
}

#[tokio::test]
async fn an_invalid_element_of_a_required_list_is_an_error() {
    let error = tests_of(serde_json::json!([
        {"checksumTestId": "a", "status": "passed", "errorMessage": null},
        "the rest is missing",
    ]));
    let message = error.await.expect_err("an error").to_string();
    let expected =
        "unexpected response at `tests[1]`: invalid type: string \"the rest is missing\"";
    assert!(message.contains(expected), "{message}");
}

#[tokio::test]
async fn a_missing_required_field_is_named_by_its_path() {
    let body = serde_json::json!({
        "id": "run-id",
        "status": "failed",
        "tests": [
            {"checksumTestId": "a", "status": "passed", "errorMessage": null, "tags": null},
            {"checksumTestId": "b", "errorMessage": null, "tags": null},
        ],
    });
    let (_server, client) = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let results = client.get_test_run_results().id("run-id").execute();
    let error = results.await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert_eq!(
        error.to_string(),
        "get_test_run_results (GET /public-api/v1/test-runs/run-id/results): \
         unexpected response at `tests[1]`: missing field `status`"
    );
}

#[tokio::test]
async fn a_required_field_of_another_type_is_named_with_its_type() {
    let (_server, client) =
        server(ResponseTemplate::new(200).set_body_json(serde_json::json!({"status": 7}))).await;
    let error = status_of(&client).await.expect_err("an error");
    let expected = "unexpected response at `status`: invalid type: integer `7`, expected a string";
    assert_eq!(error.message(), expected);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).expect("written");
    encoder.finish().expect("finished")
}

/// Decodes a body that is sent with that encoding.
async fn status_in(status: u16, encoding: Option<&str>, body: Vec<u8>) -> Result<RunStatus, Error> {
    let server = MockServer::start().await;
    let mut response = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    if let Some(encoding) = encoding {
        response = response.insert_header("content-encoding", encoding);
    }
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let client = builder(&server.uri()).max_response_bytes(100_000);
    status_of(&client.build().expect("a client")).await
}

#[tokio::test]
async fn gzip_and_byte_order_marks_are_removed() {
    let plain = br#"{"status":"queued"}"#;
    let marked = [b"\xef\xbb\xbf", &plain[..]].concat();
    let two_parts = [gzip(&plain[..5]), gzip(&plain[5..])].concat();
    for (encoding, body) in [
        (None, marked.clone()),
        (Some("gzip"), gzip(plain)),
        (Some("GZip"), gzip(plain)),
        (Some("x-gzip"), gzip(&marked)),
        (Some("gzip"), two_parts),
        (Some("identity"), plain.to_vec()),
    ] {
        let status = status_in(200, encoding, body).await.expect("a status");
        assert_eq!(status.status.as_str(), "queued", "{encoding:?}");
    }
}

#[tokio::test]
async fn a_gzip_body_is_bounded_and_complete() {
    let bomb = gzip(&vec![b' '; 10_000_000]);
    assert!(bomb.len() < 100_000, "it is within the limit as it is sent");
    let error = status_in(200, Some("gzip"), bomb.clone()).await;
    assert_eq!(error.expect_err("too large").kind(), ErrorKind::TooLarge);
    let packed = gzip(br#"{"status":"queued"}"#);
    for broken in [packed[..packed.len() - 9].to_vec(), b"{}".to_vec()] {
        let error = status_in(200, Some("gzip"), broken)
            .await
            .expect_err("broken");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(
            error.is_transient() && error.may_have_taken_effect(),
            "{error}"
        );
    }
    let error = status_in(500, Some("gzip"), bomb)
        .await
        .expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::Server);
    let rejection = gzip(br#"{"message":"no such job"}"#);
    let error = status_in(404, Some("gzip"), rejection)
        .await
        .expect_err("rejected");
    assert_eq!(error.message(), "no such job");
}

#[tokio::test]
async fn the_reasons_of_an_error_response_are_shown() {
    for (body, message) in [
        (
            r#"{"message":["a must be b","c is missing"],"error":"Bad Request","statusCode":400}"#,
            "a must be b; c is missing",
        ),
        (r#"{"message":"Bad","error":"Bad Request"}"#, "Bad"),
        (r#"{"message":[],"error":"Bad Request"}"#, "Bad Request"),
        (
            r#"{"message":" ","errors":{"pr":["is 0","is odd"]}}"#,
            "pr: is 0, is odd",
        ),
        (
            r#"{"message":"Validation failed","errors":[{"field":"pr","message":"is 0"},"odd"]}"#,
            "Validation failed; is 0; odd",
        ),
        (r#"{"errors":[["deep",["deeper"]]]}"#, "deep; deeper"),
        (
            r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
            "field required",
        ),
        (r#"{"error":{"message":["x","y"]}}"#, "x; y"),
        (r#"{"message":{"reason":"closed"}}"#, "closed"),
        (r#"["x","y"]"#, "x; y"),
    ] {
        let error = status_in(400, None, body.into())
            .await
            .expect_err("rejected");
        assert_eq!(error.message(), message, "{body}");
    }
    let many = serde_json::json!({ "message": vec!["reason"; 5_000] }).to_string();
    let nested = format!("{}\"deep\"{}", "[".repeat(100), "]".repeat(100));
    for body in [many, nested] {
        let error = status_in(400, None, body.into())
            .await
            .expect_err("rejected");
        assert!(error.message().chars().count() <= 310, "{error}");
    }
    let echoed = format!(r#"{{"message":["{KEY}"]}}"#);
    let error = status_in(400, None, echoed.into())
        .await
        .expect_err("rejected");
    assert_eq!(error.message(), "***");
}
