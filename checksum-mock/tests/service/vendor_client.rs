//! The vendor's client, as its public source shows it, against the mock server: it sends the API key
//! as `ChecksumAppCode`, needs the `runId` of each start, and polls a run only by that id.

use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Mock, RunScript};
use http::Request;
use serde_json::{Value, json};

use crate::server::{GREP, Response, SUITE, Server, observed_server};

struct VendorClient<'a>(&'a Server);

/// The exit code and the message for the CI job around the client.
type Exit = (u8, String);

fn failure(message: impl Into<String>) -> Exit {
    (1, message.into())
}

impl VendorClient<'_> {
    async fn send(&self, method: &str, path: &str, body: Body) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(format!("/public-api{path}"))
            .header("ChecksumAppCode", "key")
            .header("content-type", "application/json");
        self.0.send(request.body(body).unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.send("POST", path, Body::from(body.to_string())).await
    }

    /// Starts a run, and polls it at an interval until it ends.
    async fn run(&self, path: &str, body: Value) -> Exit {
        let started = self.post(path, body).await;
        if !matches!(started.status, 200..=202) {
            return failure(format!("rejected with {}", started.status));
        }
        let id = started.json()["runId"]
            .as_str()
            .expect("a runId")
            .to_owned();
        let path = format!("/v1/execution/status/run/{id}");
        for _ in 0..100 {
            let status = self.send("GET", &path, Body::empty()).await.ok();
            if status["isTerminal"].as_bool().expect("a boolean") {
                let state = status["status"].as_str().expect("a state");
                let reason = status["failureReason"].as_str().unwrap_or_default();
                return match status["verdict"].as_str() {
                    Some("pass") => (0, state.to_owned()),
                    _ => failure(format!("{state}: {reason}")),
                };
            }
            self.0.clock().advance(Duration::from_secs(15));
        }
        panic!("run {id} does not end");
    }

    /// Runs the tests that some files affect.
    async fn run_affected(&self, files: &[&str]) -> Exit {
        let body = json!({ "changedFiles": files });
        let affected = self.post("/v1/affected-tests", body).await.ok();
        let ids = affected["affectedTestIds"].as_array().expect("ids").iter();
        let ids: Vec<_> = ids.map(|id| id.as_str().expect("an id")).collect();
        let pattern = format!("({})", ids.join("|"));
        self.run(GREP, json!({ "grep": pattern })).await
    }
}

fn starts() -> [(&'static str, Value); 6] {
    let sharded = json!({ "grep": "User", "branch": "main", "shardCount": 4 });
    [
        (SUITE, json!({})),
        (SUITE, json!({ "suiteIds": ["suite-abc-123"] })),
        (
            "/v1/execution/tests",
            json!({ "testIds": ["test-abc-123"] }),
        ),
        ("/v1/execution/collection/collection-abc-123", json!({})),
        (GREP, json!({ "grep": "checkout" })),
        (GREP, sharded),
    ]
}

/// How a run ends, and the exit of the client.
fn ends() -> [(RunScript, Exit); 7] {
    let script = RunScript::new;
    [
        (script(), (0, "passed".to_owned())),
        (script().healed(), (0, "healed".to_owned())),
        (script().merging(2), (0, "passed".to_owned())),
        (
            script().fail_tests(["test-abc-123"]),
            failure("failed: tests failed"),
        ),
        (
            script().process_error(),
            failure("process-error: the runner was lost"),
        ),
        (
            script().cancelled(),
            failure("cancelled: somebody cancelled the run"),
        ),
        (
            script().tests([]),
            failure("passed: no test matches the selection"),
        ),
    ]
}

#[tokio::test]
async fn the_vendor_client_exits_by_the_verdict_of_the_run() {
    let server = observed_server();
    let client = VendorClient(&server);
    for (path, body) in starts() {
        for (script, exit) in ends() {
            server.next_run(script);
            let actual = client.run(path, body.clone()).await;
            assert_eq!(actual, exit, "{path} {body}");
        }
    }
    for (script, exit) in ends() {
        server.next_run(script);
        assert_eq!(client.run_affected(&["src/cart.ts"]).await, exit);
    }
    let mut polls = server
        .requests()
        .into_iter()
        .filter(|request| request.method == "GET");
    assert!(polls.all(|poll| poll.operation_id == Some("get_run_status_by_run_id")));
}

#[tokio::test]
async fn the_vendor_client_fails_without_the_observed_parts() {
    let server = Server::new(Mock::builder());
    let client = VendorClient(&server);
    let end = client.run(SUITE, json!({})).await;
    assert_eq!(end, failure("rejected with 401"));
}
