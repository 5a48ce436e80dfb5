use axum::Router;
use axum::body::{Body, to_bytes};
use checksum_mock::{Clock, Mock};
use http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt;

/// A stand-in without a socket, whose time is moved by hand.
pub(crate) fn mock() -> Mock {
    Mock::builder().clock(Clock::manual()).without_socket()
}

/// The same, with what was observed of the live service.
pub(crate) fn observed_mock() -> Mock {
    let builder = Mock::builder().observed();
    builder.clock(Clock::manual()).without_socket()
}

/// Sends requests to a stand-in's router, with a key.
#[derive(Clone)]
pub(crate) struct Client(Router);

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or an error where it broke off.
    pub(crate) body: Result<Vec<u8>, axum::Error>,
}

impl Client {
    pub(crate) fn of(mock: &Mock) -> Self {
        Self(mock.router())
    }

    /// GETs a path below the base URL.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    /// POSTs JSON to a path below the base URL.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        let request = request("POST", path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Downloads a file, without a key.
    pub(crate) async fn download(&self, url: &Value) -> Response {
        let url = url.as_str().expect("an address");
        let path = url.strip_prefix("https://checksum.invalid").unwrap();
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.map(Vec::from),
        }
    }

    /// Starts a run of the whole suite, and gives its job name.
    pub(crate) async fn start_suite(&self) -> String {
        let accepted = self
            .post("/v1/execution/suite", serde_json::json!({}))
            .await;
        accepted.ok()["name"].as_str().unwrap().to_owned()
    }

    /// Looks at a job until it ends, and gives its test run id.
    pub(crate) async fn follow(&self, job: &str) -> String {
        for _ in 0..100 {
            let status = self.get(&format!("/v2/execution/status/{job}")).await.ok();
            if let Some(id) = status["testRunId"].as_str() {
                return id.to_owned();
            }
        }
        panic!("{job} does not end");
    }
}

/// A request with a key, to a path below the base URL.
pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("/public-api{path}"))
        .header("authorization", "Bearer test-key")
}

impl Response {
    /// The JSON of an response of status 200.
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

    /// The message of a refusal of that status.
    #[track_caller]
    pub(crate) fn rejection(&self, status: u16) -> String {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        json["message"].as_str().expect("a message").to_owned()
    }
}
