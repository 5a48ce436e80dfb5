//! The traps of the generator, each with the remedy that this crate has for it. Those that a
//! document alone can trip are in `xtask`, beside the generation.

use std::time::Duration;

use checksum_api::types::{
    AutoHeal, BugSeverity, JobName, RunState, RunStatus, TestRunId, TestStatus,
};
use checksum_api::{ApiKey, Client, Error, ErrorKind, GeneratedError};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const KEY: &str = "key-that-must-not-show";

/// A server with one answer for everything.
async fn server(answer: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = Client::builder(ApiKey::new(KEY).expect("a key"))
        .base_url(server.uri().parse().expect("a URL"))
        .request_timeout(Duration::from_secs(20))
        .max_response_bytes(100_000)
        .build()
        .expect("a client");
    (server, client)
}

fn json_answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn job() -> JobName {
    JobName::new("job-name-12345").expect("a job name")
}

async fn status_of(client: &Client) -> Result<RunStatus, Error> {
    client.get_run_status().job_name(job()).execute().await
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[tokio::test]
async fn trap_2_no_request_carries_the_version_header() {
    let (server, client) = server(json_answer(&json!({"status": "running"}))).await;
    status_of(&client).await.expect("a status");
    let request = only_request(&server).await;
    assert!(!request.headers.contains_key("api-version"));
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
}

#[tokio::test]
async fn trap_3_an_error_keeps_its_status_and_headers_whatever_its_body() {
    for body in ["<html>bad gateway</html>", "", "{\"message\": 7}", "{"] {
        let answer = ResponseTemplate::new(503)
            .insert_header("retry-after", "7")
            .insert_header("x-request-id", "abc")
            .set_body_raw(body, "application/json");
        let (_server, client) = server(answer).await;

        let raw = client.get_run_status().job_name(job()).send().await;
        assert!(matches!(raw, Err(GeneratedError::ErrorResponse(ref r)) if r.status() == 503));

        let error = status_of(&client).await.expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.request_id(), Some("abc"));
    }
}

#[tokio::test]
async fn trap_4_an_unknown_state_decodes_and_is_kept() {
    let (_server, client) = server(json_answer(&json!({"status": "brand-new"}))).await;
    let status = client
        .get_run_status()
        .job_name(job())
        .send()
        .await
        .expect("a status");
    assert_eq!(
        status.status,
        RunState::Unrecognised("brand-new".to_owned())
    );
}

#[tokio::test]
async fn trap_5_unknown_members_are_kept() {
    let answer = json!({"status": "running", "shards": [{"of": 2}]});
    let (_server, client) = server(json_answer(&answer)).await;
    let status = status_of(&client).await.expect("a status");
    assert_eq!(status.extra["shards"], json!([{"of": 2}]));
    assert_eq!(serde_json::to_value(&status).expect("JSON"), answer);
}

#[tokio::test]
async fn trap_6_counts_are_unsigned() {
    let answer = json!({"status": "passed", "passed": u64::MAX});
    let (_server, client) = server(json_answer(&answer)).await;
    let status = client
        .get_run_status()
        .job_name(job())
        .send()
        .await
        .expect("a status");
    assert_eq!(status.passed, Some(u64::MAX.into()));
}

#[tokio::test]
async fn trap_7_no_id_changes_the_path() {
    let (server, client) = server(json_answer(&json!({"status": "running"}))).await;
    for text in ["a/b", "a b", "100%", "?x=y#z", "%2e%2e", "...", "\u{1f9ea}"] {
        let name = JobName::new(text).expect(text);
        let request = client.get_run_status().job_name(name);
        request.send().await.expect(text);
    }
    for text in ["", ".", "..", "a\\..\\b"] {
        let sent = client.get_run_status().job_name(text).send().await;
        assert!(
            matches!(sent, Err(GeneratedError::InvalidRequest(_))),
            "{text}"
        );
    }
    let requests = server.received_requests().await.expect("recorded");
    let paths: Vec<&str> = requests.iter().map(|request| request.url.path()).collect();
    let prefix = "/public-api/v1/execution/status/";
    assert_eq!(
        paths,
        [
            "a%2Fb",
            "a%20b",
            "100%25",
            "%3Fx=y%23z",
            "%252e%252e",
            "...",
            "%F0%9F%A7%AA"
        ]
        .map(|segment| format!("{prefix}{segment}"))
    );
}

#[tokio::test]
async fn trap_7_the_hook_refuses_a_path_of_another_operation() {
    // Should an identifier ever get past its type, the request still goes nowhere else.
    let operation = checksum_api::Operation::find("get_run_status").expect("an operation");
    assert!(operation.matches("/v1/execution/status/job"));
    for path in [
        "/v1/execution/",
        "/v1/execution/status/",
        "/v1/execution/status",
        "/v1/execution/status/a/b",
        "/v2/execution/status/job",
    ] {
        assert!(!operation.matches(path), "{path}");
    }
}

#[tokio::test]
async fn trap_8_query_values_keep_their_names() {
    let (server, client) = server(json_answer(&json!([]))).await;
    let id = TestRunId::new("run-id").expect("an id");
    let request = client
        .get_test_run_results()
        .id(id)
        .status(TestStatus::Failed);
    request.send().await.expect_err("a list is no result");
    let tags = vec!["smoke".to_owned(), "a&b".to_owned()];
    let request = client.list_bugs().severity(BugSeverity::Major).tags(tags);
    request.send().await.expect("any JSON");
    let requests = server.received_requests().await.expect("recorded");
    let queries: Vec<_> = requests
        .iter()
        .filter_map(|request| request.url.query())
        .collect();
    assert_eq!(
        queries,
        ["status=failed", "severity=major&tags=smoke&tags=a%26b"]
    );
}

#[tokio::test]
async fn trap_9_a_body_beyond_the_bound_is_refused() {
    let answer = json!({"status": "running", "noise": "x".repeat(200_000)});
    let (_server, client) = server(json_answer(&answer)).await;
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert!(
        error.to_string().contains("larger than 100000 bytes"),
        "{error}"
    );
    let raw = client.get_run_status().job_name(job()).send().await;
    assert!(matches!(raw, Err(GeneratedError::ResponseBodyError(_))));
}

#[tokio::test]
async fn trap_10_an_error_prints_an_excerpt_and_neither_headers_nor_the_key() {
    let answer = ResponseTemplate::new(500)
        .insert_header("set-cookie", "session=private")
        .set_body_string(format!("you sent {KEY}: {}", "<p>no</p> ".repeat(100_000)));
    let (_server, client) = server(answer).await;
    let error = status_of(&client).await.expect_err("an error");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(text.len() < 1_000, "{}", text.len());
        assert!(text.contains("you sent ***"), "{text}");
        assert!(!text.contains("private") && !text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn trap_11_repeating_is_judged_by_what_the_service_may_have_done() {
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

#[tokio::test]
async fn trap_12_an_optional_body_is_sent_only_where_it_says_something() {
    let (server, client) = server(json_answer(&json!({"name": "job-name-12345"}))).await;
    client.run_suite().send().await.expect("accepted");
    let heal: AutoHeal = AutoHeal::builder()
        .auto_create_pr(false)
        .try_into()
        .expect("a heal");
    let request = client
        .run_suite()
        .body_map(|body| body.auto_heal(heal.clone()));
    request.send().await.expect("accepted");
    let members = json!({"shardCount": 2, "autoHeal": {"metadata": {"by": "me"}}});
    let client = client.with_extra_fields(members.as_object().cloned().expect("an object"));
    let request = client.run_suite().body_map(|body| body.auto_heal(heal));
    request.send().await.expect("accepted");
    let requests = server.received_requests().await.expect("recorded");
    assert!(requests[0].body.is_empty());
    assert!(!requests[0].headers.contains_key("content-type"));
    let body: Value = serde_json::from_slice(&requests[1].body).expect("JSON");
    assert_eq!(body, json!({"autoHeal": {"autoCreatePR": false}}));
    assert_eq!(requests[1].headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&requests[2].body).expect("JSON");
    let heal = json!({"autoCreatePR": false, "metadata": {"by": "me"}});
    assert_eq!(body, json!({"autoHeal": heal, "shardCount": 2}));
}

#[test]
fn trap_13_ids_need_not_be_uuids() {
    for text in [
        "run-id",
        "test-abc-123",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let id: TestRunId = serde_json::from_value(text.into()).expect(text);
        assert_eq!(id.as_str(), text);
    }
}
