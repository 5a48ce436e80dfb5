//! What a strict service rejects: API keys, paths, methods, bodies and fields.

use axum::body::Body;
use checksum_mock::Mock;
use serde_json::{Value, json};

use crate::server::{SUITE, Server, TESTS, request, server};

#[tokio::test]
async fn an_api_key_is_required() {
    let server = Server::new(Mock::builder().api_key("right"));
    let path = "/public-api/v1/me";
    let wrong = ["Bearer ", "Bearer wrong", "right", "Basic right"];
    let wrong = wrong.map(|value| ("authorization", value));
    for headers in wrong.iter().map(std::slice::from_ref).chain([&[][..]]) {
        let response = server.get_with(path, headers).await;
        response.rejection(401);
        assert_eq!(response.headers["www-authenticate"], "Bearer");
    }
    let right = [("authorization", "Bearer right")];
    assert_eq!(
        server.get_with(path, &right).await.ok(),
        json!({ "id": "project-abc-123", "name": "My Project" })
    );
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let server = server();
    for path in ["/v1/you", "/v3/me", "/v1/execution/status/", "/v1/me/"] {
        let message = server.get(path).await.rejection(404);
        assert_eq!(message, "there is no such route", "{path}");
    }
    let key = [("authorization", "Bearer key")];
    server.get_with("/", &key).await.rejection(404);

    let wrong = server.get(SUITE).await;
    wrong.rejection(405);
    assert_eq!(wrong.headers["allow"], "POST");
    let wrong = server.post("/v1/me", json!({})).await;
    wrong.rejection(405);
    assert_eq!(wrong.headers["allow"], "GET");
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let server = server();
    for path in [
        "/v1/execution/status/job-name-1",
        "/v2/execution/status/job-name-1",
        "/v1/test-runs/other/results",
        "/v1/auto-generate/batch/other",
    ] {
        server.get(path).await.rejection(404);
    }
    let path = "/v1/execution/collection/other";
    server.post(path, json!({})).await.rejection(404);
}

#[tokio::test]
async fn a_body_must_be_json_with_its_content_type() {
    let server = server();
    let post = async |path: &str, content_type: &str, body: &'static str| {
        let request = request("POST", path).header("content-type", content_type);
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    let json = "application/json";
    post(SUITE, "text/plain", "{}").await.rejection(415);
    post(SUITE, "", "{}").await.rejection(415);
    post(SUITE, json, "{").await.rejection(400);
    post(SUITE, json, "[]").await.rejection(422);
    post(TESTS, "", "").await.rejection(422);
    post(SUITE, "application/json; charset=utf-8", "{}")
        .await
        .ok();
    // An optional body may be absent.
    post(SUITE, "", "").await.ok();
    let collection = "/v1/execution/collection/collection-abc-123";
    post(collection, json, "").await.ok();

    let bare = |body: Vec<u8>| request("POST", SUITE).body(Body::from(body)).unwrap();
    server.send(bare(b"{}".to_vec())).await.rejection(415);
    server.send(bare(Vec::new())).await.ok();
    let large = vec![b' '; 3 * 1024 * 1024];
    server.send(bare(large)).await.rejection(413);
}

#[tokio::test]
async fn a_path_must_be_utf_8() {
    let path = "/v1/execution/status/%ff";
    server().get(path).await.rejection(400);
}

#[tokio::test]
async fn a_missing_or_invalid_field_is_named() {
    let server = server();
    let cases = json!([
        ["/v1/execution/suite", "autoHeal", { "autoHeal": [] }],
        ["/v1/execution/suite", "autoHeal", { "autoHeal": null }],
        ["/v1/execution/suite", "autoHeal.repoName", { "autoHeal": {} }],
        ["/v1/execution/suite", "autoHeal.repoName", { "autoHeal": { "autoCreatePR": false, "prNumber": 7 } }],
        ["/v1/execution/suite", "autoHeal.repoName", { "autoHeal": { "repoName": 1 } }],
        ["/v1/execution/suite", "autoHeal.repoName", { "autoHeal": { "repoName": "" } }],
        ["/v1/execution/suite", "autoHeal.prNumber", { "autoHeal": { "repoName": "a/b", "prNumber": 0 } }],
        ["/v1/execution/suite", "autoHeal.autoCreatePR", { "autoHeal": { "repoName": "a/b", "autoCreatePR": "yes" } }],
        ["/v1/execution/suite", "autoHeal.metadata", { "autoHeal": { "repoName": "a/b", "metadata": [1] } }],
        ["/v1/execution/collection/collection-abc-123", "autoHeal", { "autoHeal": 1 }],
        ["/v1/execution/tests", "testIds", {}],
        ["/v1/execution/tests", "testIds", { "testIds": [] }],
        ["/v1/execution/tests", "testIds", { "testIds": "id1" }],
        ["/v1/execution/tests", "testIds", { "testIds": ["id1", 2] }],
        ["/v1/execution/grep", "grep", {}],
        ["/v1/execution/grep", "grep", { "grep": "" }],
        ["/v2/execution/grep", "grep", { "grep": null }],
        ["/v2/execution/grep", "branch", { "grep": "a", "branch": 1 }],
        ["/v2/execution/grep", "branch", { "grep": "a", "branch": null }],
        ["/v2/execution/grep", "envOverrides", { "grep": "a", "envOverrides": "A=B" }],
        ["/v2/execution/grep", "envOverrides.A", { "grep": "a", "envOverrides": { "A": 1 } }],
        ["/v2/execution/grep", "autoHeal.prNumber", { "grep": "a", "autoHeal": { "repoName": "a/b", "prNumber": null } }],
        ["/v1/auto-heal", "testRunId", { "repoName": "a/b" }],
        ["/v1/auto-heal", "repoName", { "testRunId": "x" }],
        ["/v1/auto-heal", "prNumber", { "testRunId": "x", "repoName": "a/b", "prNumber": 1.5 }],
        ["/v1/auto-heal", "metadata", { "testRunId": "x", "repoName": "a/b", "metadata": 1 }],
        ["/v1/auto-generate", "prNumber", { "repoName": "a/b", "branch": "b" }],
        ["/v1/auto-generate", "repoName", { "prNumber": 1, "branch": "b" }],
        ["/v1/auto-generate", "branch", { "prNumber": 1, "repoName": "a/b" }],
    ]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for case in cases.as_array().unwrap() {
        let response = server.post(&text(&case[0]), case[2].clone()).await;
        assert_eq!(response.status, 422, "{case}");
        response.assert_invalid(&text(&case[1]));
    }
    // None of these requests has started a run.
    assert_eq!(server.start_suite().await, "job-name-12345");
}

#[tokio::test]
async fn unknown_fields_are_accepted() {
    let body = json!({ "suiteIds": ["s"], "new": { "a": [1], "b": null } });
    server().post(SUITE, body).await.ok();
}

#[tokio::test]
async fn an_id_that_would_change_a_path_is_rejected() {
    let server = server();
    for id in ["", ".", "..", "a\\b", "a\nb", "\u{7f}"] {
        for (path, field, body) in [
            (TESTS, "testIds", json!({ "testIds": ["id1", id] })),
            (
                "/v1/auto-heal",
                "testRunId",
                json!({ "testRunId": id, "repoName": "a/b" }),
            ),
            (
                "/v1/auto-generate",
                "repoName",
                json!({ "prNumber": 1, "repoName": id, "branch": "main" }),
            ),
        ] {
            server.post(path, body).await.assert_invalid(field);
        }
    }
}

#[tokio::test]
async fn a_branch_may_be_empty() {
    let server = server();
    let body = json!({ "grep": "checkout", "branch": "" });
    server.post("/v2/execution/grep", body).await.ok();
    let body = json!({ "prNumber": 1, "repoName": "a/b", "branch": "" });
    let started = server.post("/v1/auto-generate", body).await;
    assert_eq!(started.status, 202);
}
