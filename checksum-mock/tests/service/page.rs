//! The page for people, and its control routes. A browser tests the page itself
//! (`cargo xtask conformance --only page`).

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Clock, Mock};
use http::Request;
use serde_json::{Value, json};

use crate::server::{GREP, Response, Server, server};

const ROUTES: [&str; 5] = [
    "/",
    "/docs",
    "/openapi.json",
    "/mock/state",
    "/mock/page.js",
];

fn server_with_page() -> Server {
    Server::new(Mock::builder().clock(Clock::manual()).page())
}

async fn control(server: &Server, method: &str, path: &str, body: Value) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:4010")
        .header("origin", "http://127.0.0.1:4010")
        .header("content-type", "application/json");
    let body = Body::from(body.to_string());
    server.send(request.body(body).unwrap()).await
}

async fn state(server: &Server) -> Value {
    server.get_with("/mock/state", &[]).await.ok()
}

#[tokio::test]
async fn the_page_is_served_only_on_demand() {
    for path in ROUTES {
        server().get_with(path, &[]).await.rejection(401);
        let response = server_with_page().get_with(path, &[]).await;
        assert_eq!(response.status, 200, "{path}");
        let policy = response.headers["content-security-policy"].to_str();
        assert!(policy.unwrap().starts_with("default-src 'self';"), "{path}");
    }
    let response = control(&server(), "POST", "/mock/faults", json!({ "kind": "hang" })).await;
    response.rejection(401);
}

#[tokio::test]
async fn the_served_document_has_every_operation() {
    let page = server_with_page();
    let document = page.get_with("/openapi.json", &[]).await.ok();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let documented: BTreeSet<&str> = operations
        .filter(|operation| operation["x-provenance"] != "observed")
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let state = state(&page).await;
    let served = state["operations"].as_array().unwrap();
    let served: BTreeSet<&str> = served.iter().filter_map(Value::as_str).collect();
    assert_eq!(documented, served);
}

/// What a page of another origin can send: requests under a foreign name that leads here, and
/// requests that carry its origin.
#[tokio::test]
async fn pages_from_elsewhere_are_rejected() {
    let server = server_with_page();
    let rejected: &[&[(&str, &str)]] = &[
        &[("host", "evil.example:4010")],
        &[("host", "127.0.0.1.evil.example")],
        &[("host", "localhost@evil.example")],
        &[
            ("host", "localhost:4010"),
            ("origin", "http://evil.example"),
        ],
        &[
            ("host", "localhost:4010"),
            ("origin", "http://localhost:4011"),
        ],
        &[("host", "localhost:4010"), ("origin", "null")],
        &[("origin", "http://evil.example")],
        // Without a host, as HTTP/1.0 allows.
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
    ];
    for headers in rejected {
        for path in ROUTES {
            server.get_with(path, headers).await.rejection(403);
        }
    }
    let accepted: &[&[(&str, &str)]] = &[
        &[
            ("host", "localhost:4010"),
            ("origin", "http://localhost:4010"),
        ],
        &[("host", "127.0.0.1")],
        &[("host", "[::1]:4010")],
    ];
    for headers in accepted {
        server.get_with("/mock/state", headers).await.ok();
    }
    // A form of another page cannot send JSON.
    let form = Request::post("/mock/faults").header("content-type", "text/plain");
    let form = form.body(Body::from(r#"{"kind":"hang"}"#)).unwrap();
    server.send(form).await.rejection(415);
    assert_eq!(state(&server).await["faults"], json!([]));
}

#[tokio::test]
async fn a_script_decides_how_the_next_run_goes() {
    let server = server_with_page();
    let script = json!({
        "failTests": ["test-abc-123"],
        "endState": "cancelled",
        "queuedPolls": 0,
        "runningSeconds": 1.5,
    });
    let added = control(&server, "POST", "/mock/next-runs", script).await;
    assert_eq!(added.status, 204);
    assert_eq!(state(&server).await["nextRuns"], 1);
    let job = server.start_suite().await;
    let run = state(&server).await["runs"][0].clone();
    assert_eq!(
        [&run["jobName"], &run["status"], &run["isFinished"]],
        [&json!(job), &json!("running"), &json!(false)]
    );
    server.clock().advance(Duration::from_millis(1500));
    let run = state(&server).await["runs"][0].clone();
    assert_eq!(
        [&run["status"], &run["isFinished"]],
        [&json!("cancelled"), &json!(true)]
    );

    let forever = json!({ "neverFinishes": true, "queuedSeconds": 0 });
    control(&server, "POST", "/mock/next-runs", forever).await;
    server.start_suite().await;
    server.clock().advance(Duration::MAX);
    let state_after = state(&server).await;
    assert_eq!(state_after["nextRuns"], 0);
    assert_eq!(state_after["runs"][0]["status"], "running");
    assert_eq!(state_after["runs"][1]["jobName"], json!(job));

    control(&server, "POST", "/mock/next-runs", json!({})).await;
    control(&server, "DELETE", "/mock/next-runs", Value::Null).await;
    assert_eq!(state(&server).await["nextRuns"], 0);
}

#[tokio::test]
async fn a_fault_is_injected_and_removed() {
    let server = server_with_page();
    let fault = json!({
        "kind": "status",
        "status": 503,
        "headers": { "retry-after": "2" },
        "body": "try later",
        "operationId": "get_project",
        "after": 1,
        "times": 2,
    });
    assert_eq!(
        control(&server, "POST", "/mock/faults", fault).await.status,
        204
    );
    let described = "status 503, get_project, 2 times, after 1 more requests";
    assert_eq!(state(&server).await["faults"], json!([described]));
    server.get("/v1/me").await.ok();
    let failed = server.get("/v1/me").await;
    assert_eq!(
        (failed.status, failed.body.unwrap()),
        (503, b"try later".to_vec())
    );
    assert_eq!(failed.headers["retry-after"], "2");
    let status_of = |state: &Value| state["requests"][0]["status"].clone();
    let state_after = state(&server).await;
    assert_eq!(status_of(&state_after), 503);
    assert_eq!(
        state_after["faults"],
        json!(["status 503, get_project, once"])
    );
    control(&server, "DELETE", "/mock/faults", Value::Null).await;
    server.get("/v1/me").await.ok();
    assert_eq!(state(&server).await["faults"], json!([]));

    for kind in [
        "hang",
        "reset-before-reading",
        "reset-after-handling",
        "reset-in-body",
    ] {
        let fault = json!({ "kind": kind, "always": true });
        assert_eq!(
            control(&server, "POST", "/mock/faults", fault).await.status,
            204
        );
    }
    let delay = json!({ "kind": "delay", "seconds": 0.5 });
    control(&server, "POST", "/mock/faults", delay).await;
    let state_after = state(&server).await;
    let faults = state_after["faults"].as_array().unwrap();
    assert_eq!(faults[0], "hang, any operation, always");
    assert_eq!(faults[4], "delay of 500ms, any operation, once");
    for fault in [
        json!({ "kind": "raw", "body": "HTTP/1.1 100", "seconds": 1 }),
        json!({ "kind": "fields", "fields": { "status": "queued" } }),
        json!({ "kind": "status", "status": 502, "andHandle": true, "gzip": true }),
        json!({ "kind": "truncated", "atByte": 7, "probability": 0.5, "seed": 1 }),
        json!({ "kind": "slow-body", "seconds": 1 }),
    ] {
        let injected = control(&server, "POST", "/mock/faults", fault).await;
        assert_eq!(injected.status, 204);
    }
    let described = [
        "12 raw bytes, any operation, once",
        r#"fields {"status":"queued"}, any operation, once"#,
        "status 502, any operation, once",
        "truncated at byte 7, any operation, once, with probability 0.5",
        "slow body, 1s before each byte, any operation, once",
    ];
    let state_after = state(&server).await;
    assert_eq!(state_after["faults"].as_array().unwrap()[5..], described);
    // The form has an input for each field that a kind takes.
    let form = server.get_with("/", &[]).await.body.unwrap();
    let form = String::from_utf8(form).unwrap();
    for kind in state_after["faultKinds"].as_array().unwrap() {
        for field in kind["fields"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            let input = format!("data-field=\"{field}\"");
            assert!(
                form.contains(&input),
                "{field} of {} in index.html",
                kind["name"]
            );
        }
    }
    let outage = json!({ "seconds": 0 });
    let refused = control(&server, "POST", "/mock/outage", outage).await;
    assert_eq!(refused.status, 204);
    // The page and its control routes are not part of what faults apply to.
    assert_eq!(server.request_count(), 3);
}

#[tokio::test]
async fn an_invalid_script_or_fault_is_rejected_by_its_field() {
    let server = server_with_page();
    for (path, body, field) in [
        (
            "/mock/next-runs",
            json!({ "endstate": "failed" }),
            "endstate",
        ),
        (
            "/mock/next-runs",
            json!({ "runningSeconds": -1 }),
            "runningSeconds",
        ),
        (
            "/mock/next-runs",
            json!({ "queuedPolls": 1.5 }),
            "queuedPolls",
        ),
        ("/mock/faults", json!({}), "kind"),
        ("/mock/faults", json!({ "kind": "explode" }), "kind"),
        ("/mock/faults", json!({ "kind": "status" }), "status"),
        (
            "/mock/faults",
            json!({ "kind": "status", "status": 100 }),
            "status",
        ),
        ("/mock/faults", json!({ "kind": "delay" }), "seconds"),
        ("/mock/faults", json!({ "kind": "fields" }), "fields"),
        (
            "/mock/faults",
            json!({ "kind": "hang", "probability": 2 }),
            "probability",
        ),
        ("/mock/outage", json!({}), "seconds"),
        (
            "/mock/faults",
            json!({ "kind": "hang", "operationId": "stop" }),
            "operationId",
        ),
        (
            "/mock/faults",
            json!({ "kind": "hang", "times": 0 }),
            "times",
        ),
    ] {
        control(&server, "POST", path, body)
            .await
            .assert_invalid(field);
    }
    assert_eq!(
        control(&server, "PUT", "/mock/faults", json!({}))
            .await
            .status,
        405
    );
    let state = state(&server).await;
    assert_eq!(
        [&state["nextRuns"], &state["faults"]],
        [&json!(0), &json!([])]
    );
}

#[tokio::test]
async fn the_page_shows_no_secret_and_no_long_body() {
    let server = server_with_page();
    let env = json!({ "grep": "checkout", "envOverrides": { "PASSWORD": "s3cret" } });
    server.post(GREP, env.clone()).await.ok();
    server
        .post(GREP, json!({ "grep": "a", "envOverrides": ["s3cret"] }))
        .await;
    let cut = &env.to_string()[1..];
    server.post(GREP, cut.into()).await;
    // Requests of a client that is wrong.
    server.post(GREP, json!([env])).await;
    server.post(GREP, json!({ "options": env })).await;
    server
        .post(GREP, json!({ "grep": "long ".repeat(1000) }))
        .await;
    let state = state(&server).await;
    assert_eq!(state["requestCount"], 6);
    let requests = state["requests"].as_array().unwrap();
    let numbers: Vec<_> = requests.iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    assert_eq!(requests[0]["body"], "5011 bytes, too long to show");
    assert_eq!(requests[5]["body"]["envOverrides"]["PASSWORD"], "***");
    let text = state.to_string();
    assert!(
        !text.contains("s3cret") && !text.contains("test-key"),
        "{text}"
    );
}

#[tokio::test]
async fn looking_at_the_state_is_no_poll() {
    let server = server_with_page();
    let job = server.start_suite().await;
    for _ in 0..5 {
        assert_eq!(state(&server).await["runs"][0]["status"], "queued");
    }
    server.status(&job).await;
    assert_eq!(state(&server).await["runs"][0]["status"], "running");
    let run = server.finish(&job).await;
    let body = json!({ "testRunId": run, "autoCreatePR": false });
    server.post("/v1/auto-heal", body).await.ok();
    let body = json!({ "repoName": "acme-co/my-app", "prNumber": 1, "branch": "main" });
    server.post("/v1/auto-generate", body).await;
    let state = state(&server).await;
    let kinds = state["batches"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds
        .map(|batch| (&batch["kind"], &batch["status"]))
        .collect();
    let pending = |kind: &str| (json!(kind), json!("pending"));
    let expected = [pending("healing"), pending("generation")];
    assert_eq!(
        kinds,
        expected.each_ref().map(|(kind, status)| (kind, status))
    );
}
