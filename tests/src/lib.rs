//! What the tests in `tests/` share: clients of services that have no socket, so that tokio's clock
//! can be paused and every time is exact.

pub mod document;
pub mod ext_operations;
pub mod fake_transport;
pub mod memory;
pub mod operations;
pub mod request_capture;
pub mod wording;

pub use fake_transport::{FakeRequest, FakeResponse, FakeTransport, KEY, Script};

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checksum_api_ext::{Checksum, ChecksumBuilder, PollPolicy, RetryPolicy};
use checksum_mock::Mock;
use http::Response;
use serde_json::Value;
use tokio::time::Instant;
use tower::ServiceExt;

/// More requests than any test needs. It ends a loop that would poll without end.
const MAX_REQUESTS: usize = 1_000_000;

/// Returns a client of the mock server, with the default policies but without jitter of polls.
pub fn client_of(mock: &Mock) -> Checksum {
    builder_of(mock).build().expect("a client")
}

/// Returns the builder of [`client_of`], for other settings.
pub fn builder_of(mock: &Mock) -> ChecksumBuilder {
    let router = mock.router();
    let requests = AtomicUsize::new(0);
    Checksum::builder()
        .api_key("key".parse().expect("a key"))
        .base_url(mock.url().parse().expect("a URL"))
        .poll_policy(PollPolicy::default().jitter(0.0))
        .transport(move |request: reqwest::Request| {
            let router = router.clone();
            let sent = requests.fetch_add(1, Ordering::Relaxed);
            assert!(sent < MAX_REQUESTS, "requests without end");
            async move {
                let request: http::Request<reqwest::Body> = request.try_into()?;
                let Ok(response) = router.oneshot(request.map(axum::body::Body::new)).await;
                let stream =
                    |body: axum::body::Body| reqwest::Body::wrap_stream(body.into_data_stream());
                Ok(response.map(stream).into())
            }
        })
}

/// Answers in a fixed order, and what was asked for them.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    answers: VecDeque<Answer>,
    requests: Vec<String>,
    started: Option<Instant>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self::status(200).body(body.to_string())
    }
}

impl Answers {
    /// These answers, and the last one over and over.
    pub fn new<A: Into<Answer>>(answers: impl IntoIterator<Item = A>) -> Self {
        let played = Played {
            answers: answers.into_iter().map(Into::into).collect(),
            ..Played::default()
        };
        Self(Arc::new(Mutex::new(played)))
    }

    /// A client that gets them, which repeats no request of itself.
    pub fn client(&self) -> Checksum {
        self.client_with("key")
    }

    /// [`client`](Self::client) with a key that can be looked for.
    pub fn client_with(&self, key: &str) -> Checksum {
        let builder = self.builder().api_key(key.parse().expect("a key"));
        builder.build().expect("a client")
    }

    /// [`client`](Self::client), to be given other settings.
    pub fn builder(&self) -> ChecksumBuilder {
        let answers = self.clone();
        Checksum::builder()
            .api_key("key".parse().expect("a key"))
            .base_url("https://checksum.invalid".parse().expect("a URL"))
            .retry_policy(RetryPolicy::none())
            .poll_policy(PollPolicy::fixed(Duration::from_secs(10)))
            .transport(move |request: reqwest::Request| {
                let answer = answers.play(&request);
                async move { Ok(answer.into()) }
            })
    }

    /// The requests so far, each with the seconds since the first: `0 GET /v1/me`.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    fn play(&self, request: &reqwest::Request) -> Response<Vec<u8>> {
        let mut played = self.lock();
        let started = *played.started.get_or_insert_with(Instant::now);
        let path = request.url().path().trim_start_matches("/public-api");
        let line = format!(
            "{} {} {path}",
            started.elapsed().as_secs(),
            request.method()
        );
        played.requests.push(line);
        let answer = match played.answers.len() {
            1 => played.answers.front().cloned(),
            _ => played.answers.pop_front(),
        };
        let answer = answer.expect("an answer");
        let mut response = Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(answer.body).expect("a response")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares a text with its snapshot, whose header names the test's file only.
#[macro_export]
macro_rules! snapshot {
    ($($arguments:tt)*) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($($arguments)*));
    }};
}

/// The README's Rust, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
