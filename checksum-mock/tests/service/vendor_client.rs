//! The vendor's client, as its public source shows it, against the mock server: it sends the API key
//! as `ChecksumAppCode`, needs the `runId` of each start, and polls a run only by that id.

use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Fault, Mock, RunScript};
use http::Request;
use serde_json::{Value, json};

use crate::server::{GREP, Response, SUITE, Server, observed_server};

const POLL_INTERVAL: Duration = Duration::from_secs(15);
const MAX_FAILURES: usize = 5;
const MAX_CHANGED_FILES: usize = 1_000;

struct VendorClient<'a>(&'a Server);

/// The exit code and the message for the CI job around the client.
type Exit = (u8, String);

fn failure(message: impl Into<String>) -> Exit {
    (1, message.into())
}

fn success(message: impl Into<String>) -> Exit {
    (0, message.into())
}

impl VendorClient<'_> {
    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(format!("/public-api{path}"))
            .header("ChecksumAppCode", "key")
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.0.send(request.body(body).unwrap()).await
    }

    /// Starts a run, and polls it until it ends.
    async fn run(&self, path: &str, body: Value) -> Exit {
        let started = self.send("POST", path, Some(body)).await;
        if !matches!(started.status, 200..=202) {
            return failure(format!("rejected with {}", started.status));
        }
        match started.json()["runId"].as_str() {
            Some(id) if !id.is_empty() => self.poll(id).await,
            _ => failure("the response has no runId"),
        }
    }

    /// Polls at once, and then at the interval.
    async fn poll(&self, id: &str) -> Exit {
        let path = format!("/v1/execution/status/run/{id}");
        let mut failures = 0;
        for _ in 0..100 {
            let response = self.send("GET", &path, None).await;
            if response.status == 404 {
                return failure("the run is unknown");
            }
            let read = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).ok();
            let status = response.body.ok().and_then(read).filter(|status| {
                response.status == 200
                    && status["status"].is_string()
                    && status["isTerminal"].is_boolean()
            });
            match status {
                Some(status) if status["isTerminal"] == true => {
                    let reason = status["failureReason"].as_str().unwrap_or_default();
                    let state = status["status"].as_str().unwrap();
                    return match status["verdict"].as_str() {
                        Some("pass") => success(state),
                        _ => failure(format!("{state}: {reason}")),
                    };
                }
                Some(_) => failures = 0,
                None => failures += 1,
            }
            if failures == MAX_FAILURES {
                return failure("too many failures in a row");
            }
            self.0.clock().advance(POLL_INTERVAL);
        }
        panic!("run {id} does not end");
    }

    /// Runs the tests that some files affect.
    async fn run_affected(&self, files: &[&str]) -> Exit {
        if !(1..=MAX_CHANGED_FILES).contains(&files.len()) {
            return failure("too few or too many changed files");
        }
        let body = json!({ "changedFiles": files });
        let affected = self.send("POST", "/v1/affected-tests", Some(body)).await;
        let affected = affected.ok();
        let ids = affected["affectedTestIds"].as_array().expect("ids").iter();
        let mut ids: Vec<_> = ids.map(|id| id.as_str().expect("an id")).collect();
        if ids.is_empty() {
            return success("nothing is affected");
        }
        ids.sort_unstable();
        let ids: Vec<_> = ids.into_iter().map(escape).collect();
        let pattern = format!("({})", ids.join("|"));
        let body = json!({ "grep": pattern });
        self.run(GREP, body).await
    }
}

/// Escapes a text for a regular expression of JavaScript.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r".*+?^${}()|[]\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
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
        (script(), success("passed")),
        (script().healed(), success("healed")),
        (script().merging(2), success("passed")),
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
async fn it_exits_as_the_run_ends() {
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
async fn a_lost_shard_fails() {
    let server = observed_server();
    let client = VendorClient(&server);
    server.next_run(RunScript::new().lost_shards(1));
    let body = json!({ "grep": "User", "shardCount": 8 });
    assert_eq!(
        client.run(GREP, body).await,
        failure("passed: 1/8 shards failed; merged report is missing their tests")
    );
}

#[tokio::test]
async fn an_empty_selection_fails_without_a_script() {
    let server = observed_server();
    let client = VendorClient(&server);
    let end = failure("passed: no test matches the selection");
    for count in [None, Some(2)] {
        let mut body = json!({ "grep": "nothing like it" });
        if let Some(count) = count {
            body["shardCount"] = json!(count);
        }
        assert_eq!(client.run(GREP, body).await, end);
    }
    let body = json!({ "suiteIds": ["other"] });
    assert_eq!(client.run(SUITE, body).await, end);
}

#[tokio::test]
async fn it_runs_the_affected_tests() {
    let server = observed_server();
    let client = VendorClient(&server);
    let patterns = || {
        let requests = server.requests().into_iter();
        let started = requests.filter(|request| request.operation_id == Some("run_grep_v2"));
        let patterns: Vec<_> = started
            .map(|request| request.body["grep"].as_str().expect("a pattern").to_owned())
            .collect();
        patterns
    };
    let end = client.run_affected(&["x"; 1_001]).await;
    assert_eq!(end.0, 1);
    assert_eq!(server.request_count(), 0);
    let end = client.run_affected(&["docs/index.md"]).await;
    assert_eq!(end, success("nothing is affected"));
    assert!(patterns().is_empty());

    server.set_affected_tests(["test-def-456", "a+b (c)", "test-abc-123"]);
    assert_eq!(client.run_affected(&["x"; 1_000]).await, success("passed"));
    assert_eq!(patterns(), [r"(a\+b \(c\)|test-abc-123|test-def-456)"]);
    let latest = client.send("GET", "/v1/test-runs/latest", None).await.ok();
    assert_eq!(latest["passed"], 3);
}

#[tokio::test]
async fn it_tolerates_four_failures_in_a_row_and_no_404() {
    let server = observed_server();
    let client = VendorClient(&server);
    let poll = "get_run_status_by_run_id";
    let run = async || client.run(SUITE, json!({})).await;
    for fault in [
        Fault::status(503),
        Fault::status(401),
        Fault::respond_with("<html>"),
        Fault::respond_with(r#"{"status":"passed"}"#),
        Fault::truncated(),
    ] {
        server.fault(fault.clone().on_operation(poll).times(4));
        assert_eq!(run().await, success("passed"), "{fault:?}");
        server.fault(fault.clone().on_operation(poll).times(5));
        let end = failure("too many failures in a row");
        assert_eq!(run().await, end, "{fault:?}");
    }
    server.fault(Fault::status(404).on_operation(poll));
    assert_eq!(run().await, failure("the run is unknown"));
}

#[tokio::test]
async fn it_does_not_run_against_a_documented_service() {
    let server = Server::new(Mock::builder());
    let client = VendorClient(&server);
    let end = client.run(SUITE, json!({})).await;
    assert_eq!(end, failure("rejected with 401"));
}
