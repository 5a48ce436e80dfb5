use axum::body::Body;
use checksum_mock::Mock;
use http::Request;
use serde_json::{Value, json};

use crate::client::{Client, Response, mock, request};

#[tokio::test]
async fn a_key_is_needed() {
    let mock = Mock::builder().api_key("right").without_socket();
    let client = Client::of(&mock);
    let get = async |authorization: Option<&str>| -> Response {
        let mut request = Request::get("/public-api/v1/me");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        client.send(request.body(Body::empty()).unwrap()).await
    };
    for wrong in [
        None,
        Some("Bearer "),
        Some("Bearer wrong"),
        Some("right"),
        Some("Basic right"),
    ] {
        let response = get(wrong).await;
        response.rejection(401);
        assert_eq!(response.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(
        get(Some("Bearer right")).await.ok(),
        json!({ "id": "project-abc-123", "name": "My Project" })
    );
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_told_apart() {
    let mock = mock();
    let client = Client::of(&mock);
    for path in ["/v1/you", "/v3/me", "/v1/execution/status/", "/v1/me/"] {
        client.get(path).await.rejection(404);
    }
    let outside = Request::get("/").header("authorization", "Bearer key");
    let outside = outside.body(Body::empty()).unwrap();
    client.send(outside).await.rejection(404);

    let wrong = client.get("/v1/execution/suite").await;
    wrong.rejection(405);
    assert_eq!(wrong.headers["allow"], "POST");
    let wrong = client.post("/v1/me", json!({})).await;
    wrong.rejection(405);
    assert_eq!(wrong.headers["allow"], "GET");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let mock = mock();
    let client = Client::of(&mock);
    for path in [
        "/v1/execution/status/job-name-1",
        "/v2/execution/status/job-name-1",
        "/v1/test-runs/other/results",
        "/v1/auto-generate/batch/other",
    ] {
        client.get(path).await.rejection(404);
    }
    let path = "/v1/execution/collection/other";
    client.post(path, json!({})).await.rejection(404);
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let mock = mock();
    let client = Client::of(&mock);
    let post = async |path: &str, content_type: Option<&str>, body: &'static str| {
        let mut request = request("POST", path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        client.send(request.body(Body::from(body)).unwrap()).await
    };
    let suite = "/v1/execution/suite";
    let json = Some("application/json");
    post(suite, Some("text/plain"), "{}").await.rejection(415);
    post(suite, None, "{}").await.rejection(415);
    post(suite, json, "{").await.rejection(400);
    post(suite, json, "[]").await.rejection(422);
    post("/v1/execution/tests", None, "").await.rejection(422);
    post(suite, Some("application/json; charset=utf-8"), "{}")
        .await
        .ok();
    // Where the body is optional, it may be left out.
    post(suite, None, "").await.ok();
    post("/v1/execution/collection/collection-abc-123", json, "")
        .await
        .ok();

    let request = request("POST", suite).header("content-type", "application/json");
    let large = Body::from(vec![b' '; 3 * 1024 * 1024]);
    client
        .send(request.body(large).unwrap())
        .await
        .rejection(413);
}

#[tokio::test]
async fn a_path_and_a_query_are_text() {
    let mock = mock();
    let client = Client::of(&mock);
    client.get("/v1/execution/status/%ff").await.rejection(400);
}

#[tokio::test]
async fn a_missing_or_wrong_member_is_named() {
    let mock = mock();
    let client = Client::of(&mock);
    let heal = |block: Value| json!({ "autoHeal": block });
    let grep = |member: &str, value: Value| json!({ "grep": "checkout", member: value });
    let cases = [
        ("/v1/execution/suite", heal(json!([])), "autoHeal"),
        ("/v1/execution/suite", heal(json!({})), "autoHeal.repoName"),
        (
            "/v1/execution/suite",
            heal(json!({ "autoCreatePR": false, "prNumber": 7 })),
            "autoHeal.repoName",
        ),
        (
            "/v1/execution/suite",
            heal(json!({ "repoName": "a/b", "prNumber": 0 })),
            "autoHeal.prNumber",
        ),
        (
            "/v1/execution/suite",
            heal(json!({ "repoName": 1 })),
            "autoHeal.repoName",
        ),
        (
            "/v1/execution/suite",
            heal(json!({ "repoName": "a/b", "autoCreatePR": "yes" })),
            "autoHeal.autoCreatePR",
        ),
        (
            "/v1/execution/collection/collection-abc-123",
            heal(json!(1)),
            "autoHeal",
        ),
        ("/v1/execution/tests", json!({}), "testIds"),
        ("/v1/execution/tests", json!({ "testIds": [] }), "testIds"),
        (
            "/v1/execution/tests",
            json!({ "testIds": "id1" }),
            "testIds",
        ),
        (
            "/v1/execution/tests",
            json!({ "testIds": ["id1", 2] }),
            "testIds",
        ),
        ("/v1/execution/grep", json!({}), "grep"),
        ("/v1/execution/grep", json!({ "grep": "" }), "grep"),
        ("/v2/execution/grep", json!({ "grep": null }), "grep"),
        ("/v2/execution/grep", grep("branch", json!(1)), "branch"),
        (
            "/v2/execution/grep",
            grep("envOverrides", json!("A=B")),
            "envOverrides",
        ),
        (
            "/v2/execution/grep",
            grep("envOverrides", json!({ "A": 1 })),
            "envOverrides.A",
        ),
        ("/v1/auto-heal", json!({ "repoName": "a/b" }), "testRunId"),
        ("/v1/auto-heal", json!({ "testRunId": "x" }), "repoName"),
        (
            "/v1/auto-heal",
            json!({ "testRunId": "x", "repoName": "a/b", "prNumber": 1.5 }),
            "prNumber",
        ),
        (
            "/v1/auto-heal",
            json!({ "testRunId": "x", "repoName": "a/b", "metadata": 1 }),
            "metadata",
        ),
        (
            "/v1/auto-generate",
            json!({ "repoName": "a/b", "branch": "b" }),
            "prNumber",
        ),
        (
            "/v1/auto-generate",
            json!({ "prNumber": 1, "branch": "b" }),
            "repoName",
        ),
        (
            "/v1/auto-generate",
            json!({ "prNumber": 1, "repoName": "a/b" }),
            "branch",
        ),
    ];
    for (path, body, member) in cases {
        let response = client.post(path, body.clone()).await;
        let message = response.rejection(422);
        assert_eq!(response.json()["path"], member, "{path} {body}");
        assert!(message.starts_with(member), "{message}");
    }
    // An empty text is a text, and null is none: no member is nullable in the document.
    for (path, body, member) in [
        (
            "/v1/execution/suite",
            json!({ "autoHeal": null }),
            "autoHeal",
        ),
        ("/v2/execution/grep", grep("branch", json!(null)), "branch"),
        (
            "/v2/execution/grep",
            grep("autoHeal", json!({ "repoName": "a/b", "prNumber": null })),
            "autoHeal.prNumber",
        ),
        (
            "/v1/execution/suite",
            heal(json!({ "repoName": "" })),
            "autoHeal.repoName",
        ),
    ] {
        let response = client.post(path, body).await;
        response.rejection(422);
        assert_eq!(response.json()["path"], member);
    }
    // Nothing of all that was started.
    assert_eq!(client.start_suite().await, "job-name-12345");
}

#[tokio::test]
async fn members_that_nobody_knows_are_let_through() {
    let mock = mock();
    let client = Client::of(&mock);
    let body = json!({ "suiteIds": ["s"], "new": { "a": [1], "b": null } });
    client.post("/v1/execution/suite", body).await.ok();
}

#[tokio::test]
async fn an_id_is_one_that_could_stand_in_a_path() {
    let mock = mock();
    let client = Client::of(&mock);
    for id in ["", ".", "..", "a\\b", "a\nb", "\u{7f}"] {
        let body = json!({ "testIds": ["id1", id] });
        client
            .post("/v1/execution/tests", body)
            .await
            .rejection(422);
        let body = json!({ "testRunId": id, "repoName": "a/b" });
        let response = client.post("/v1/auto-heal", body).await;
        response.rejection(422);
        assert_eq!(response.json()["path"], "testRunId");
        let body = json!({ "prNumber": 1, "repoName": id, "branch": "main" });
        let response = client.post("/v1/auto-generate", body).await;
        response.rejection(422);
        assert_eq!(response.json()["path"], "repoName");
    }
}

#[tokio::test]
async fn a_branch_may_be_any_text() {
    let mock = mock();
    let client = Client::of(&mock);
    let body = json!({ "grep": "checkout", "branch": "" });
    client.post("/v2/execution/grep", body).await.ok();
    let body = json!({ "prNumber": 1, "repoName": "a/b", "branch": "" });
    let started = client.post("/v1/auto-generate", body).await;
    assert_eq!(started.status, 202);
}
