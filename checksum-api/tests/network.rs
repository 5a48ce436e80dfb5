//! What a real network does to a call: redirects, proxies' pages, cut bodies, silence.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use checksum_api::types::{JobName, RunStatus};
use checksum_api::{ApiKey, BuildError, Client, ClientBuilder, Error, ErrorKind, OperationId};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "key-that-must-not-show";

fn builder(origin: &str) -> ClientBuilder {
    Client::builder(ApiKey::new(KEY).expect("a key")).base_url(origin.parse().expect("a URL"))
}

async fn status_of(client: &Client) -> Result<RunStatus, Error> {
    let job = JobName::new("job-name-12345").expect("a job name");
    client.get_run_status().job_name(job).execute().await
}

/// Answers one connection with these bytes, and closes it.
fn answers_once(bytes: &'static [u8]) -> String {
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
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&elsewhere)
        .await;
    let server = MockServer::start().await;
    let target = format!("{}/login?next=private", elsewhere.uri());
    let redirect = ResponseTemplate::new(307).insert_header("location", target.as_str());
    Mock::given(any())
        .respond_with(redirect)
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains(&elsewhere.uri()), "{error}");
    assert!(!error.to_string().contains("private"), "{error}");
    assert!(
        elsewhere
            .received_requests()
            .await
            .expect("recorded")
            .is_empty()
    );
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_with_the_key() {
    let server = MockServer::start().await;
    let status = ResponseTemplate::new(200).set_body_raw("{\"status\":\"queued\"}", "text/json");
    Mock::given(path("/elsewhere"))
        .respond_with(status)
        .mount(&server)
        .await;
    let redirect = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    Mock::given(any())
        .respond_with(redirect)
        .with_priority(9)
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    status_of(&client).await.expect("a status");
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(
        requests[1].headers["authorization"],
        format!("Bearer {KEY}")
    );
}

#[tokio::test]
async fn a_redirected_start_may_have_been_acted_on_unless_it_is_sent_on_as_it_is() {
    for (status, target, followed, may_have_taken_effect) in [
        (301, "/there", false, true),
        (302, "/there", false, true),
        (303, "/there", false, true),
        (307, "/there", true, false),
        (308, "/there", true, false),
        (302, "https://elsewhere.invalid/", false, true),
        (307, "https://elsewhere.invalid/", false, false),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/there"))
            .respond_with(ResponseTemplate::new(401))
            .mount(&server)
            .await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status).insert_header("location", target))
            .with_priority(9)
            .mount(&server)
            .await;
        let client = builder(&server.uri()).build().expect("a client");
        let tests = serde_json::json!({ "testIds": ["id"] });
        let tests: checksum_api::types::RunTestsRequest =
            serde_json::from_value(tests).expect("a body");
        let run = client.run_tests().body(tests).execute();
        let error = run.await.expect_err("redirected");
        assert_eq!(
            error.may_have_taken_effect(),
            may_have_taken_effect,
            "{status} {error}"
        );
        let kind = match followed {
            true => ErrorKind::Unauthorized,
            false => ErrorKind::Redirect,
        };
        assert_eq!(error.kind(), kind, "{status} {error}");
        let requests = server.received_requests().await.expect("recorded");
        assert_eq!(requests.len(), 1 + usize::from(followed), "{status}");
        for request in requests {
            assert_eq!(request.method.as_str(), "POST", "{status}");
            assert_eq!(request.body, br#"{"testIds":["id"]}"#, "{status}");
        }
    }
}

#[tokio::test]
async fn answers_that_are_no_answer() {
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
        let client = builder(&answers_once(bytes)).build().expect("a client");
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
async fn a_tap_sees_what_came_before_it_is_mended() {
    let sent = r#"{"status":"queued","passed":null,"new":[1, 2]}"#;
    for (status, body, is_ok, is_seen) in [
        (200, sent, true, true),
        (200, "<html>Sign in</html>", false, true),
        (404, r#"{"message":"gone"}"#, false, true),
        (200, &*"x".repeat(1_000), false, false),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let client = builder(&server.uri()).max_response_bytes(500);
        let client = client.build().expect("a client");
        let (sender, seen) = std::sync::mpsc::channel();
        let tapped = client
            .inspect_responses(move |answer| sender.send(answer.clone()).expect("a receiver"));
        assert_eq!(status_of(&tapped).await.is_ok(), is_ok, "{body}");
        let answers: Vec<_> = seen.try_iter().collect();
        assert_eq!(answers.len(), usize::from(is_seen), "{body}");
        for answer in answers {
            assert_eq!(answer.status.as_u16(), status);
            assert_eq!(answer.body, body);
            assert_eq!(answer.headers["content-type"], "application/json");
        }
        // The client that it was made from goes on unseen.
        let _ = status_of(&client).await;
        assert_eq!(seen.try_iter().count(), 0);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = builder(&origin).build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_transient() && !error.may_have_taken_effect());
}

#[tokio::test]
async fn tls_that_fails_has_a_kind_of_its_own() {
    // Nobody speaks TLS there, or this machine has no certificate authorities: it is of one kind.
    let plain = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("https://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            assert!(stream.read(&mut [0; 4096]).expect("a greeting") > 0);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        });
        origin
    };
    let origin = plain();
    let client = builder(&origin).build().expect("a client");
    let of_a_read = status_of(&client).await.expect_err("no TLS");
    let client = builder(&plain()).build().expect("a client");
    let of_a_start = client.run_suite().execute().await.expect_err("no TLS");
    let address = plain().parse().expect("a URL");
    let of_a_file = client.get_file(&address, http::HeaderMap::new()).await;
    for error in [of_a_read, of_a_start, of_a_file.expect_err("no TLS")] {
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(
            !error.is_transient() && !error.may_have_taken_effect(),
            "{error}"
        );
        assert!(error.message().contains("https://127.0.0.1:"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_time_out_whatever_the_transport() {
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
async fn members_of_unexpected_types_do_not_cost_the_answer() {
    let body = serde_json::json!({
        "status": "passed",
        "passed": "45",
        "failed": null,
        "recovered": -1,
        "isTerminal": "yes",
        "verdict": {"is": "pass"},
        "bug": 3,
    });
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).build().expect("a client");
    let status = status_of(&client).await.expect("a status");
    assert_eq!(status.bug, Some(3.into()));
    // What can take a pass away is kept as it came; a text that is a number is one.
    assert_eq!((status.passed, status.failed), (Some(45.into()), None));
    let recovered = status.recovered.expect("it is there");
    assert_eq!(recovered.read(), None);
    let is_terminal = status.is_terminal.expect("it is there");
    assert_eq!(is_terminal.read(), None);
    assert_eq!(status.verdict.expect("it is there").read(), None);
}

#[tokio::test]
async fn a_member_that_may_be_null_may_be_missing() {
    let test = serde_json::json!({"checksumTestId": "a", "status": "passed", "tags": null});
    let tests = vec![test; 100_000];
    let body = serde_json::json!({"id": "run-id", "status": "passed", "tests": tests});
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).build().expect("a client");
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

/// What the client makes of the tests of a run.
async fn tests_of(tests: serde_json::Value) -> Result<Vec<checksum_api::types::TestResult>, Error> {
    let body = serde_json::json!({"id": "run-id", "status": "failed", "tests": tests});
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).build().expect("a client");
    let results = client.get_test_run_results().id("run-id").execute();
    Ok(results.await?.tests)
}

#[tokio::test]
async fn a_wrong_element_of_an_optional_list_is_dropped_and_the_others_stay() {
    let tests = tests_of(serde_json::json!([
        {"checksumTestId": "a", "status": "passed", "errorMessage": null, "tags": ["smoke"]},
        {"checksumTestId": "b", "status": "failed", "errorMessage": null, "tags": ["smoke", {}]},
    ]));
    let tests = tests.await.expect("tests");
    assert_eq!(tests[0].tags, ["smoke"]);
    assert_eq!(tests[1].tags, ["smoke"]);
}

#[tokio::test]
async fn an_element_of_a_needed_list_is_not_given_up() {
    let error = tests_of(serde_json::json!([
        {"checksumTestId": "a", "status": "passed", "errorMessage": null},
        "the rest is missing",
    ]));
    let message = error.await.expect_err("an error").to_string();
    let expected = "unexpected answer at `tests[1]`: invalid type: string \"the rest is missing\"";
    assert!(message.contains(expected), "{message}");
}

#[tokio::test]
async fn what_the_client_cannot_do_without_is_named_by_its_path() {
    let body = serde_json::json!({
        "id": "run-id",
        "status": "failed",
        "tests": [
            {"checksumTestId": "a", "status": "passed", "errorMessage": null, "tags": null},
            {"checksumTestId": "b", "errorMessage": null, "tags": null},
        ],
    });
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).build().expect("a client");
    let results = client.get_test_run_results().id("run-id").execute();
    let error = results.await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert_eq!(
        error.to_string(),
        "get_test_run_results (GET /public-api/v1/test-runs/run-id/results): \
         unexpected answer at `tests[1]`: missing field `status`"
    );
}

#[tokio::test]
async fn a_needed_member_of_another_type_is_named_with_its_type() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(serde_json::json!({"status": 7}));
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    let expected = "unexpected answer at `status`: invalid type: integer `7`, expected a string";
    assert_eq!(error.message(), expected);
}

#[test]
fn the_key_does_not_cross_a_network_in_the_clear() {
    let refused = builder("http://api.example").build().expect_err("refused");
    assert!(matches!(refused, BuildError::PlainHttp(_)));
    builder("http://api.example")
        .allow_plain_http()
        .build()
        .expect("asked for by name");
}

#[test]
fn nothing_printable_holds_the_key() {
    let client = builder("https://api.example").build().expect("a client");
    assert!(!format!("{client:?}").contains(KEY));
    assert!(!format!("{:?}", checksum_api::ClientInfo::inner(&client)).contains(KEY));
}

#[tokio::test]
async fn a_file_comes_with_the_key_from_the_own_origin_alone() {
    let elsewhere = MockServer::start().await;
    Mock::given(path("/file"))
        .respond_with(ResponseTemplate::new(200).set_body_string("content"))
        .mount(&elsewhere)
        .await;
    let server = MockServer::start().await;
    let target = format!("{}/file", elsewhere.uri());
    Mock::given(path("/file"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", target.as_str()))
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    let address = format!("{}/file", server.uri()).parse().expect("a URL");
    // A caller's own header does not bring the key elsewhere either.
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "Bearer mine".parse().expect("a header"));
    let mut file = client.get_file(&address, headers).await.expect("a file");
    let mut content = Vec::new();
    while let Some(part) = file.chunk().await.expect("a part") {
        content.extend_from_slice(&part);
    }
    assert_eq!(content, b"content");
    assert!(!format!("{file:?}").contains(KEY));
    let own = server.received_requests().await.expect("recorded");
    assert_eq!(own[0].headers["authorization"], format!("Bearer {KEY}"));
    let foreign = elsewhere.received_requests().await.expect("recorded");
    assert!(!foreign[0].headers.contains_key("authorization"));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).expect("written");
    encoder.finish().expect("finished")
}

/// What the client makes of a body that is sent with that encoding.
async fn status_in(status: u16, encoding: Option<&str>, body: Vec<u8>) -> Result<RunStatus, Error> {
    let server = MockServer::start().await;
    let mut answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    if let Some(encoding) = encoding {
        answer = answer.insert_header("content-encoding", encoding);
    }
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = builder(&server.uri()).max_response_bytes(100_000);
    status_of(&client.build().expect("a client")).await
}

#[tokio::test]
async fn json_is_read_however_it_is_wrapped() {
    let plain = br#"{"status":"queued"}"#;
    let marked = [b"\xef\xbb\xbf", &plain[..]].concat();
    let two_members = [gzip(&plain[..5]), gzip(&plain[5..])].concat();
    for (encoding, body) in [
        (None, marked.clone()),
        (Some("gzip"), gzip(plain)),
        (Some("GZip"), gzip(plain)),
        (Some("x-gzip"), gzip(&marked)),
        (Some("gzip"), two_members),
        (Some("identity"), plain.to_vec()),
    ] {
        let status = status_in(200, encoding, body).await.expect("a status");
        assert_eq!(status.status.as_str(), "queued", "{encoding:?}");
    }
}

#[tokio::test]
async fn a_packed_body_is_bounded_and_whole() {
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
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Server);
    let refusal = gzip(br#"{"message":"no such job"}"#);
    let error = status_in(404, Some("gzip"), refusal)
        .await
        .expect_err("refused");
    assert_eq!(error.message(), "no such job");
}

#[tokio::test]
async fn the_reasons_of_a_refusal_are_shown() {
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
            .expect_err("refused");
        assert_eq!(error.message(), message, "{body}");
    }
    let many = serde_json::json!({ "message": vec!["reason"; 5_000] }).to_string();
    let nested = format!("{}\"deep\"{}", "[".repeat(100), "]".repeat(100));
    for body in [many, nested] {
        let error = status_in(400, None, body.into())
            .await
            .expect_err("refused");
        assert!(error.message().chars().count() <= 310, "{error}");
    }
    let echoed = format!(r#"{{"message":["{KEY}"]}}"#);
    let error = status_in(400, None, echoed.into())
        .await
        .expect_err("refused");
    assert_eq!(error.message(), "***");
}
