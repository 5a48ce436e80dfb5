//! Transports of the program's own, and responses as they came.

use std::time::Duration;

use checksum_api::{ErrorKind, TransportError};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{builder, job, server, status_of};

#[tokio::test(start_paused = true)]
async fn the_request_timeout_applies_to_any_transport() {
    let client = builder("http://127.0.0.1")
        .request_timeout(Duration::from_secs(30))
        .transport(|_| std::future::pending())
        .build()
        .expect("a client");
    let started = tokio::time::Instant::now();
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(started.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn an_inspector_sees_complete_responses_before_they_are_decoded() {
    let sent = r#"{"status":"queued","passed":null,"new":[1, 2]}"#;
    for (status, body, is_ok, is_seen) in [
        (200, sent, true, true),
        (200, "<html>Sign in</html>", false, true),
        (404, r#"{"message":"gone"}"#, false, true),
        (200, &*"x".repeat(1_000), false, false),
    ] {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        Mock::given(any())
            .respond_with(response)
            .mount(&server)
            .await;
        let client = builder(&server.uri()).max_response_bytes(500);
        let client = client.build().expect("a client");
        let (sender, seen) = std::sync::mpsc::channel();
        let inspected = client
            .inspect_responses(move |response| sender.send(response.clone()).expect("a receiver"));
        assert_eq!(status_of(&inspected).await.is_ok(), is_ok, "{body}");
        let responses: Vec<_> = seen.try_iter().collect();
        assert_eq!(responses.len(), usize::from(is_seen), "{body}");
        for response in responses {
            assert_eq!(response.status.as_u16(), status);
            assert_eq!(response.body, body);
            assert_eq!(response.headers["content-type"], "application/json");
        }
        // The original client has no inspector.
        let _ = status_of(&client).await;
        assert_eq!(seen.try_iter().count(), 0);
    }
}

#[tokio::test]
async fn the_error_of_a_transport_says_whether_the_request_was_sent() {
    type MakeError = fn(String) -> TransportError;
    let cases: [(MakeError, ErrorKind, bool); 3] = [
        (TransportError::not_sent, ErrorKind::Connect, false),
        (TransportError::timeout, ErrorKind::Timeout, true),
        (
            TransportError::connection_lost,
            ErrorKind::ConnectionLost,
            true,
        ),
    ];
    for (error, kind, may_have_taken_effect) in cases {
        let sent = error(String::new()).may_have_been_sent();
        assert_eq!(sent, may_have_taken_effect, "{kind:?}");
        let transport = move |_| async move { Err(error("pool is closed".to_owned())) };
        let client = builder("https://api.example").transport(transport);
        let client = client.build().expect("a client");
        let error = client.run_suite().execute().await.expect_err("an error");
        assert_eq!(error.kind(), kind);
        assert_eq!(
            error.may_have_taken_effect(),
            may_have_taken_effect,
            "{error}"
        );
        assert!(error.is_transient(), "{error}");
        let source = std::error::Error::source(&error).expect("a source");
        assert_eq!(source.to_string(), "pool is closed");
    }
}

#[tokio::test]
async fn a_reqwest_client_is_a_transport() {
    let (server, _) =
        server(ResponseTemplate::new(200).set_body_string(r#"{"status":"queued"}"#)).await;
    let own = reqwest::Client::builder()
        .user_agent("own")
        .build()
        .expect("a client");
    let client = builder(&server.uri())
        .transport(own)
        .build()
        .expect("a client");
    status_of(&client).await.expect("a status");
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests[0].headers["user-agent"], "own");
}

#[tokio::test]
async fn a_success_has_its_request_id_and_body() {
    let body = r#"{"status":"queued","passed":"1"}"#;
    for header in [
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "x-amzn-requestid",
        "cf-ray",
    ] {
        let response = ResponseTemplate::new(200).set_body_string(body);
        let (_server, client) = server(response.insert_header(header, "abc")).await;
        let request = client.get_run_status().job_name(job());
        let (status, response) = request.execute_with_response().await.expect("a status");
        assert_eq!(status.passed, Some(1.into()));
        assert_eq!(response.request_id(), Some("abc"), "{header}");
        assert_eq!(response.status, 200);
        assert_eq!(response.body, body);
    }
}

#[test]
fn root_certificates_must_be_pem() {
    let client = builder("https://api.example").add_root_certificates("no PEM");
    let error = client.build().expect_err("no certificates");
    assert!(
        matches!(error, checksum_api::BuildError::RootCertificates(_)),
        "{error}"
    );
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_the_builder() {
    let (proxy, _) =
        server(ResponseTemplate::new(200).set_body_string(r#"{"status":"queued"}"#)).await;
    let client = builder("http://api.example")
        .allow_plain_http()
        .proxy(reqwest::Proxy::all(proxy.uri()).expect("a proxy"))
        .build()
        .expect("a client");
    status_of(&client).await.expect("a status");
    let requests = proxy.received_requests().await.expect("recorded");
    assert_eq!(requests[0].headers["host"], "api.example");
}

#[tokio::test]
async fn a_transport_error_does_not_show_what_grants_access_to_a_file() {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let sent = client.get("http://127.0.0.1:1/file?token=hunter2").send();
    let error = TransportError::from(sent.await.expect_err("nobody listens"));
    assert!(!error.may_have_been_sent());
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("NotSent"), "{shown}");
}
