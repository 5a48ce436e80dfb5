//! What the client sends.

use checksum_api::ErrorKind;
use checksum_api::types::{AutoHeal, BugSeverity, EnvOverrides, JobName, TestRunId, TestStatus};
use serde_json::{Value, json};
use wiremock::{MockServer, Request};

use crate::{KEY, json as respond, server, status_of};

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[tokio::test]
async fn requests_carry_the_key_and_no_version_header() {
    let (server, client) = server(respond(&json!({"status": "running"}))).await;
    status_of(&client).await.expect("a status");
    let request = only_request(&server).await;
    assert!(!request.headers.contains_key("api-version"));
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
}

#[tokio::test]
async fn ids_do_not_change_the_path() {
    let (server, client) = server(respond(&json!({"status": "running"}))).await;
    for text in ["a/b", "a b", "100%", "?x=y#z", "%2e%2e", "...", "\u{1f9ea}"] {
        let name = JobName::new(text).expect(text);
        let request = client.get_run_status().job_name(name);
        request.execute().await.expect(text);
    }
    for text in ["", ".", "..", "a\\..\\b"] {
        let error = client.get_run_status().job_name(text).execute().await;
        let error = error.expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert_eq!(error.message(), "the value of `job_name` is not a JobName");
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
async fn a_path_of_another_operation_does_not_match() {
    // The client compares before it sends, in case an identifier gets past its type.
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
async fn query_values_keep_their_names() {
    let (server, client) = server(respond(&json!([]))).await;
    let id = TestRunId::new("run-id").expect("an id");
    let request = client
        .get_test_run_results()
        .id(id)
        .status(TestStatus::Failed);
    request.execute().await.expect_err("a list is no result");
    let tags = vec!["smoke".to_owned(), "a&b".to_owned()];
    let request = client.list_bugs().severity(BugSeverity::Major).tags(tags);
    request.execute().await.expect("any JSON");
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
async fn an_empty_optional_body_is_not_sent() {
    let (server, client) = server(respond(&json!({"name": "job-name-12345"}))).await;
    client.run_suite().execute().await.expect("accepted");
    let heal: AutoHeal = AutoHeal::builder()
        .auto_create_pr(false)
        .try_into()
        .expect("a heal");
    let request = client
        .run_suite()
        .body_map(|body| body.auto_heal(heal.clone()));
    request.execute().await.expect("accepted");
    let fields = json!({"shardCount": 2, "autoHeal": {"metadata": {"by": "me"}}});
    let client = client.with_extra_fields(fields.as_object().cloned().expect("an object"));
    let request = client.run_suite().body_map(|body| body.auto_heal(heal));
    request.execute().await.expect("accepted");
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
fn ids_need_not_be_uuids() {
    for text in [
        "run-id",
        "test-abc-123",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let id: TestRunId = serde_json::from_value(text.into()).expect(text);
        assert_eq!(id.as_str(), text);
    }
}

#[tokio::test]
async fn debug_does_not_print_the_values_of_environment_overrides() {
    let (_server, client) = server(respond(&json!({"name": "job-name-12345"}))).await;
    let overrides = EnvOverrides([("TOKEN".to_owned(), "hunter2".to_owned())].into());
    assert_eq!(format!("{overrides:?}"), r#"{"TOKEN": ***}"#);
    let request = client
        .run_grep_v2()
        .body_map(|body| body.grep("checkout").env_overrides(overrides));
    let printed = format!("{request:?}");
    assert!(
        printed.contains("TOKEN") && !printed.contains("hunter2"),
        "{printed}"
    );
}
