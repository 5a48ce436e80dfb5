//! The vendor's client, as its public source shows it, against the stand-in: it sends the key as
//! `ChecksumAppCode`, needs the `runId` of each start, and follows a run by that id alone.

use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Fault, Mock, RunScript};
use http::Request;
use serde_json::{Value, json};

use crate::client::{Client, Response, observed_mock};

const POLL_INTERVAL: Duration = Duration::from_secs(15);
const MAX_FAILURES: usize = 5;
const MAX_CHANGED_FILES: usize = 1_000;

struct VendorClient<'a> {
    mock: &'a Mock,
    transport: Client,
}

/// How it ends, for the CI job around it.
#[derive(Debug, PartialEq)]
struct End {
    exit_code: u8,
    message: String,
}

impl End {
    fn failure(message: impl Into<String>) -> Self {
        Self {
            exit_code: 1,
            message: message.into(),
        }
    }

    fn success(message: impl Into<String>) -> Self {
        Self {
            exit_code: 0,
            message: message.into(),
        }
    }
}

impl<'a> VendorClient<'a> {
    fn of(mock: &'a Mock) -> Self {
        Self {
            mock,
            transport: Client::of(mock),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(format!("/public-api{path}"))
            .header("ChecksumAppCode", "key")
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.transport.send(request.body(body).unwrap()).await
    }

    /// Starts a run, and follows it to its end.
    async fn run(&self, path: &str, body: Value) -> End {
        let started = self.send("POST", path, Some(body)).await;
        if !matches!(started.status, 200..=202) {
            return End::failure(format!("rejected with {}", started.status));
        }
        match started.json()["runId"].as_str() {
            Some(id) if !id.is_empty() => self.follow(id).await,
            _ => End::failure("the response has no runId"),
        }
    }

    /// Polls at once, and then at each interval.
    async fn follow(&self, id: &str) -> End {
        let path = format!("/v1/execution/status/run/{id}");
        let mut failures = 0;
        for _ in 0..100 {
            let response = self.send("GET", &path, None).await;
            if response.status == 404 {
                return End::failure("the run is unknown");
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
                        Some("pass") => End::success(state),
                        _ => End::failure(format!("{state}: {reason}")),
                    };
                }
                Some(_) => failures = 0,
                None => failures += 1,
            }
            if failures == MAX_FAILURES {
                return End::failure("too many failures in a row");
            }
            self.mock.clock().advance(POLL_INTERVAL);
        }
        panic!("run {id} does not end");
    }

    /// Runs the tests that some files affect.
    async fn run_affected(&self, files: &[&str]) -> End {
        if !(1..=MAX_CHANGED_FILES).contains(&files.len()) {
            return End::failure("too few or too many changed files");
        }
        let body = json!({ "changedFiles": files });
        let affected = self.send("POST", "/v1/affected-tests", Some(body)).await;
        let affected = affected.ok();
        let ids = affected["affectedTestIds"].as_array().expect("ids").iter();
        let mut ids: Vec<_> = ids.map(|id| id.as_str().expect("an id")).collect();
        if ids.is_empty() {
            return End::success("nothing is affected");
        }
        ids.sort_unstable();
        let ids: Vec<_> = ids.into_iter().map(escaped).collect();
        let pattern = format!("({})", ids.join("|"));
        let body = json!({ "grep": pattern });
        self.run("/v2/execution/grep", body).await
    }
}

/// A text as a regular expression of JavaScript that matches it.
fn escaped(text: &str) -> String {
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
    let suite = "/v1/execution/suite";
    let sharded = json!({ "grep": "User", "branch": "main", "shardCount": 4 });
    [
        (suite, json!({})),
        (suite, json!({ "suiteIds": ["suite-abc-123"] })),
        (
            "/v1/execution/tests",
            json!({ "testIds": ["test-abc-123"] }),
        ),
        ("/v1/execution/collection/collection-abc-123", json!({})),
        ("/v2/execution/grep", json!({ "grep": "checkout" })),
        ("/v2/execution/grep", sharded),
    ]
}

type Script = fn() -> RunScript;

/// What becomes of a run, and how the client ends.
fn ends() -> [(Script, u8, &'static str); 7] {
    [
        (RunScript::new, 0, "passed"),
        (|| RunScript::new().healed(), 0, "healed"),
        (
            || RunScript::new().fail_tests(["test-abc-123"]),
            1,
            "failed: tests failed",
        ),
        (
            || RunScript::new().process_error(),
            1,
            "process-error: the runner was lost",
        ),
        (
            || RunScript::new().cancelled(),
            1,
            "cancelled: somebody cancelled the run",
        ),
        (
            || RunScript::new().tests([]),
            1,
            "passed: no test matches the selection",
        ),
        (|| RunScript::new().merging(2), 0, "passed"),
    ]
}

#[tokio::test]
async fn it_ends_as_the_run_does() {
    let mock = observed_mock();
    let client = VendorClient::of(&mock);
    for (path, body) in starts() {
        for (script, exit_code, message) in ends() {
            mock.next_run(script());
            let end = client.run(path, body.clone()).await;
            assert_eq!(end.exit_code, exit_code, "{path} {body} {message}");
            assert_eq!(end.message, message, "{path} {body}");
        }
    }
    for (script, exit_code, message) in ends() {
        mock.next_run(script());
        let end = client.run_affected(&["src/cart.ts"]).await;
        assert_eq!((end.exit_code, &*end.message), (exit_code, message));
    }
    let used: Vec<_> = mock
        .requests()
        .into_iter()
        .filter(|request| request.method == "GET")
        .map(|request| request.operation_id)
        .collect();
    assert!(
        used.iter()
            .all(|id| *id == Some("get_run_status_by_run_id"))
    );
}

#[tokio::test]
async fn a_lost_shard_fails() {
    let mock = observed_mock();
    let client = VendorClient::of(&mock);
    mock.next_run(RunScript::new().lost_shards(1));
    let body = json!({ "grep": "User", "shardCount": 8 });
    assert_eq!(
        client.run("/v2/execution/grep", body).await,
        End::failure("passed: 1/8 shards failed; merged report is missing their tests")
    );
}

#[tokio::test]
async fn an_empty_selection_fails_without_a_script() {
    let mock = observed_mock();
    let client = VendorClient::of(&mock);
    let end = End::failure("passed: no test matches the selection");
    for count in [None, Some(2)] {
        let mut body = json!({ "grep": "nothing like it" });
        if let Some(count) = count {
            body["shardCount"] = json!(count);
        }
        assert_eq!(client.run("/v2/execution/grep", body).await, end);
    }
    let body = json!({ "suiteIds": ["other"] });
    assert_eq!(client.run("/v1/execution/suite", body).await, end);
}

#[tokio::test]
async fn it_runs_what_is_affected() {
    let mock = observed_mock();
    let client = VendorClient::of(&mock);
    let patterns = || {
        let requests = mock.requests().into_iter();
        let started = requests.filter(|request| request.operation_id == Some("run_grep_v2"));
        let patterns: Vec<_> = started
            .map(|request| request.body["grep"].as_str().expect("a pattern").to_owned())
            .collect();
        patterns
    };
    let end = client.run_affected(&["x"; 1_001]).await;
    assert_eq!(end.exit_code, 1);
    assert_eq!(mock.request_count(), 0);
    let end = client.run_affected(&["docs/index.md"]).await;
    assert_eq!(end, End::success("nothing is affected"));
    assert!(patterns().is_empty());

    mock.set_affected_tests(["test-def-456", "a+b (c)", "test-abc-123"]);
    assert_eq!(
        client.run_affected(&["x"; 1_000]).await,
        End::success("passed")
    );
    assert_eq!(patterns(), [r"(a\+b \(c\)|test-abc-123|test-def-456)"]);
    let latest = client.send("GET", "/v1/test-runs/latest", None).await.ok();
    assert_eq!(latest["passed"], 3);
}

#[tokio::test]
async fn it_tolerates_four_failures_and_no_404() {
    let mock = observed_mock();
    let client = VendorClient::of(&mock);
    let poll = "get_run_status_by_run_id";
    let run = async || client.run("/v1/execution/suite", json!({})).await;
    for fault in [
        Fault::status(503),
        Fault::status(401),
        Fault::respond_with("<html>"),
        Fault::respond_with(r#"{"status":"passed"}"#),
        Fault::truncated(),
    ] {
        mock.fault(fault.clone().on_operation(poll).times(4));
        assert_eq!(run().await, End::success("passed"), "{fault:?}");
        mock.fault(fault.clone().on_operation(poll).times(5));
        let end = End::failure("too many failures in a row");
        assert_eq!(run().await, end, "{fault:?}");
    }
    mock.fault(Fault::status(404).on_operation(poll));
    assert_eq!(run().await, End::failure("the run is unknown"));
}

#[tokio::test]
async fn it_does_not_run_against_a_service_that_is_only_documented() {
    let mock = Mock::builder().without_socket();
    let client = VendorClient::of(&mock);
    let end = client.run("/v1/execution/suite", json!({})).await;
    assert_eq!(end, End::failure("rejected with 401"));
}
