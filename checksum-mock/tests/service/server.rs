//! A mock server without a socket, and requests to it.

use std::ops::Deref;

use axum::Router;
use axum::body::{Body, to_bytes};
use checksum_mock::{Clock, Mock, MockBuilder, RunScript};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const SUITE: &str = "/v1/execution/suite";
pub(crate) const TESTS: &str = "/v1/execution/tests";
pub(crate) const GREP: &str = "/v2/execution/grep";
/// The test run id of the first run.
pub(crate) const RUN_ID: &str = "00000000-0000-4000-8000-000000000001";

/// Sends requests with an API key.
pub(crate) struct Server {
    mock: Mock,
    router: Router,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or an error if it broke off.
    pub(crate) body: Result<Vec<u8>, axum::Error>,
}

/// A mock server whose clock only a test advances.
pub(crate) fn server() -> Server {
    Server::new(Mock::builder().clock(Clock::manual()))
}

pub(crate) fn observed_server() -> Server {
    Server::new(Mock::builder().clock(Clock::manual()).observed())
}

/// A script of a run that finishes as soon as it starts.
pub(crate) fn immediate() -> RunScript {
    RunScript::new().queued(0).running(0)
}

/// A request with an API key to a path below the base URL.
pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("/public-api{path}"))
        .header("authorization", "Bearer test-key")
}

impl Deref for Server {
    type Target = Mock;

    fn deref(&self) -> &Mock {
        &self.mock
    }
}

impl Server {
    pub(crate) fn new(builder: MockBuilder) -> Self {
        let mock = builder.without_socket();
        let router = mock.router();
        Self { mock, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.map(Vec::from),
        }
    }

    /// GETs a path of the host, with these headers only.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = request("GET", path).body(Body::empty());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        let request = request("POST", path).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// Downloads a file, without an API key.
    pub(crate) async fn download(&self, url: &Value) -> Response {
        let path = url
            .as_str()
            .unwrap()
            .strip_prefix("https://checksum.invalid");
        self.get_with(path.unwrap(), &[]).await
    }

    /// Starts a run of the whole suite, and returns its job name.
    pub(crate) async fn start_suite(&self) -> String {
        let started = self.post(SUITE, json!({})).await.ok();
        started["name"].as_str().unwrap().to_owned()
    }

    /// Starts a run on an observed server, and returns its test run id.
    pub(crate) async fn start(&self, path: &str, body: Value) -> String {
        let started = self.post(path, body).await.ok();
        started["runId"].as_str().unwrap().to_owned()
    }

    /// Polls a job until it finishes, and returns its test run id.
    pub(crate) async fn finish(&self, job: &str) -> String {
        for _ in 0..100 {
            let status = self.get(&format!("/v2/execution/status/{job}")).await.ok();
            if let Some(id) = status["testRunId"].as_str() {
                return id.to_owned();
            }
        }
        panic!("{job} does not finish");
    }

    /// Runs a script to its end, and returns its test run id.
    pub(crate) async fn finished_run(&self, script: RunScript) -> String {
        self.next_run(script);
        let job = self.start_suite().await;
        self.finish(&job).await
    }

    /// Returns the status of a job by the first version's route.
    pub(crate) async fn status(&self, job: &str) -> Value {
        self.get(&format!("/v1/execution/status/{job}")).await.ok()
    }

    /// Returns the status of a run by its test run id.
    pub(crate) async fn verdict(&self, id: &str) -> Value {
        let path = format!("/v1/execution/status/run/{id}");
        self.get(&path).await.ok()
    }

    /// Returns the ids of the tests that a run has run.
    pub(crate) async fn tests_of(&self, id: &str) -> Vec<String> {
        let results = self.get(&format!("/v1/test-runs/{id}/results")).await.ok();
        let tests = results["tests"].as_array().unwrap().iter();
        let id = |test: &Value| test["checksumTestId"].as_str().unwrap().to_owned();
        tests.map(id).collect()
    }
}

impl Response {
    /// Returns the JSON body of a response with status 200.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        let json = self.json();
        assert_eq!(self.status, 200, "{json}");
        json
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(self.body.as_ref().unwrap()).unwrap()
    }

    /// Returns the message of a rejection with this status.
    #[track_caller]
    pub(crate) fn rejection(&self, status: u16) -> String {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        json["message"].as_str().expect("a message").to_owned()
    }

    /// Asserts that a field or query parameter is rejected by its path.
    #[track_caller]
    pub(crate) fn assert_invalid(&self, field: &str) {
        let message = self.rejection(422);
        assert_eq!(self.json()["path"], field);
        assert!(message.starts_with(field), "{message}");
    }
}
