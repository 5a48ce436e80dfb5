//! A server that shares no code with the mock server, and has only the literal examples of the API's
//! description.

use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::invocation::{KEY, checksum};

async fn responses(server: &MockServer, verb: &str, route: &str, body: &str) {
    let response = ResponseTemplate::new(200).set_body_raw(body.to_owned(), "application/json");
    Mock::given(method(verb))
        .and(path(format!("/public-api{route}")))
        .and(header("authorization", format!("Bearer {KEY}")))
        .respond_with(response)
        .mount(server)
        .await;
}

/// The first two polls return that the run is running, as the description shows it.
async fn is_running_first(server: &MockServer, route: &str) {
    Mock::given(method("GET"))
        .and(path(format!("/public-api{route}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "status": "running" })))
        .up_to_n_times(2)
        .with_priority(1)
        .mount(server)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suite_reaches_its_verdict() {
    let server = MockServer::start().await;
    responses(
        &server,
        "POST",
        "/v1/execution/suite",
        r#"{ "name": "job-name-12345" }"#,
    )
    .await;
    is_running_first(&server, "/v1/execution/status/job-name-12345").await;
    let completed =
        r#"{ "status": "passed", "passed": 45, "failed": 2, "recovered": 1, "bug": 0 }"#;
    responses(
        &server,
        "GET",
        "/v1/execution/status/job-name-12345",
        completed,
    )
    .await;

    let ended = checksum(&server.uri(), "run suite --poll-interval 0s")
        .end()
        .exits(0);
    assert_eq!(
        ended.stdout,
        "job-name-12345: passed (45 passed, 2 failed, 1 recovered, 0 bug)\n"
    );
    assert!(
        ended
            .stderr
            .contains("note: the service says passed, and counts 2 failed tests")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grep_sends_all_options_and_reaches_its_verdict() {
    let server = MockServer::start().await;
    let request = json!({
        "grep": "checkout",
        "branch": "feature/preview",
        "envOverrides": { "BASE_URL": "https://pr-42.preview.example.com" },
        "autoHeal": {
            "autoCreatePR": true,
            "branch": "main",
            "repoName": "acme-co/my-tests",
            "prNumber": 42
        }
    });
    Mock::given(method("POST"))
        .and(path("/public-api/v2/execution/grep"))
        .and(body_json(request))
        .respond_with(ResponseTemplate::new(202).set_body_json(json!({ "name": "job-name-12345" })))
        .mount(&server)
        .await;
    is_running_first(&server, "/v2/execution/status/job-name-12345").await;
    let completed = r#"{
        "testRunId": "00000000-0000-0000-0000-000000000000",
        "status": "failed", "passed": 45, "failed": 2, "recovered": 1, "bug": 0
    }"#;
    responses(
        &server,
        "GET",
        "/v2/execution/status/job-name-12345",
        completed,
    )
    .await;

    let arguments = "run grep checkout --branch feature/preview --poll-interval 0s \
        --env BASE_URL=https://pr-42.preview.example.com \
        --auto-heal --repo acme-co/my-tests --heal-branch main --pr 42";
    let ended = checksum(&format!("{}/public-api/v2/", server.uri()), arguments)
        .end()
        .exits(1);
    assert_eq!(
        ended.stdout,
        "job-name-12345: failed (45 passed, 2 failed, 1 recovered, 0 bug), \
         test run 00000000-0000-0000-0000-000000000000\n\
         see https://app.checksum.ai/#/test-runs/00000000-0000-0000-0000-000000000000\n"
    );
    ended.stderr_lacks("preview.example.com");
}
