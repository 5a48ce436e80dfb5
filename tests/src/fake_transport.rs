//! A service without a socket, so that tokio's clock can be paused and every time is exact: a
//! function from requests to responses, and a log of the requests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use checksum_api::TransportError;
use checksum_api_ext::{Checksum, ChecksumBuilder, PollPolicy, RetryPolicy};
use futures_util::stream;
use http::{HeaderMap, Method};
use reqwest::ResponseBuilderExt;
use serde_json::Value;
use tokio::time::Instant;

/// The API key of every client of these tests. It is searched for in whatever must not hold it.
pub const KEY: &str = "key-that-must-not-show";

/// More requests than any test needs. It ends a loop that would poll without end.
const MAX_REQUESTS: usize = 100_000;

/// A transport that responds in process. Clones share one log.
#[derive(Clone)]
pub struct FakeTransport {
    respond: Arc<dyn Fn(&FakeRequest) -> FakeResponse + Send + Sync>,
    latency: Duration,
    state: Arc<Mutex<State>>,
}

struct State {
    began: Instant,
    log: Vec<FakeRequest>,
    in_flight: usize,
    max_in_flight: usize,
}

/// One request as it was sent.
#[derive(Clone, Debug)]
pub struct FakeRequest {
    /// The time since the transport was made.
    pub at: Duration,
    /// The method.
    pub method: Method,
    /// The path without `/public-api`.
    pub path: String,
    /// The URL.
    pub url: reqwest::Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or null where there is none.
    pub body: Value,
}

/// One response, or none. A JSON value becomes a 200 with that body.
#[derive(Clone, Debug)]
pub struct FakeResponse {
    outcome: Outcome,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    pace: Option<(usize, Duration)>,
    url: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Status(u16),
    NotSent,
    Never,
}

impl FakeResponse {
    /// Returns a response of this status code without a body.
    pub fn status(status: u16) -> Self {
        Self::new(Outcome::Status(status))
    }

    /// Makes the request fail without a connection, so that the service knows nothing of it.
    pub fn not_sent() -> Self {
        Self::new(Outcome::NotSent)
    }

    /// Sends no response, however long the client waits.
    pub fn never() -> Self {
        Self::new(Outcome::Never)
    }

    /// Takes the response from this URL, as a transport does that follows redirects by itself.
    pub fn url(mut self, url: &'static str) -> Self {
        self.url = Some(url);
        self
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            headers: Vec::new(),
            body: Vec::new(),
            pace: None,
            url: None,
        }
    }

    pub(crate) async fn sent(self) -> Result<reqwest::Response, TransportError> {
        let status = match self.outcome {
            Outcome::Status(status) => status,
            Outcome::NotSent => return Err(TransportError::not_sent("nobody listens")),
            Outcome::Never => std::future::pending().await,
        };
        let mut response = http::Response::builder().status(status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if let Some(url) = self.url {
            response = response.url(url.parse().expect("a URL"));
        }
        let body = match self.pace {
            None => self.body.into(),
            Some(pace) => paced(self.body.into(), pace),
        };
        Ok(response.body(body).expect("a response").into())
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends the body in parts of this many bytes, each after this time.
    pub fn pace(mut self, bytes: usize, after: Duration) -> Self {
        self.pace = Some((bytes, after));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

fn paced(body: Bytes, (bytes, after): (usize, Duration)) -> reqwest::Body {
    let parts = stream::unfold(body, move |mut rest| async move {
        let part = rest.split_to(bytes.min(rest.len()));
        if part.is_empty() {
            return None;
        }
        tokio::time::sleep(after).await;
        Some((Ok::<_, std::io::Error>(part), rest))
    });
    reqwest::Body::wrap_stream(parts)
}

impl From<Value> for FakeResponse {
    fn from(body: Value) -> Self {
        Self::status(200).body(body.to_string())
    }
}

/// Responses in a fixed order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    responses: VecDeque<FakeResponse>,
    then: Option<FakeResponse>,
}

impl Script {
    /// Returns each response once, in this order. One request more fails the test.
    pub fn in_order<R: Into<FakeResponse>>(responses: impl IntoIterator<Item = R>) -> Self {
        Self {
            responses: responses.into_iter().map(Into::into).collect(),
            then: None,
        }
    }

    /// Returns this response to every request.
    pub fn always(response: impl Into<FakeResponse>) -> Self {
        Self::default().then_always(response)
    }

    /// Returns this response to every request after those in order.
    pub fn then_always(mut self, response: impl Into<FakeResponse>) -> Self {
        self.then = Some(response.into());
        self
    }

    fn next(&mut self, request: &FakeRequest) -> FakeResponse {
        let next = self.responses.pop_front().or_else(|| self.then.clone());
        next.unwrap_or_else(|| panic!("no response is left for {}", request.line()))
    }
}

impl FakeTransport {
    /// Responds to each request with what the function returns.
    pub fn new(respond: impl Fn(&FakeRequest) -> FakeResponse + Send + Sync + 'static) -> Self {
        Self {
            respond: Arc::new(respond),
            latency: Duration::ZERO,
            state: Arc::new(Mutex::new(State {
                began: Instant::now(),
                log: Vec::new(),
                in_flight: 0,
                max_in_flight: 0,
            })),
        }
    }

    /// Responds as [`Script::in_order`], whatever is requested.
    pub fn in_order<R: Into<FakeResponse>>(responses: impl IntoIterator<Item = R>) -> Self {
        Script::in_order(responses).into()
    }

    /// Responds to every request with this.
    pub fn always(response: impl Into<FakeResponse>) -> Self {
        Script::always(response).into()
    }

    /// Fails the test at any request.
    pub fn without_requests() -> Self {
        Script::default().into()
    }

    /// Responds to the requests of each path by a script of its own, and with 404 to any other.
    pub fn by_path(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> Self {
        let scripts: Vec<_> = scripts.into_iter().collect();
        let scripts = Mutex::new(scripts);
        Self::new(move |request| {
            let mut scripts = scripts.lock().unwrap_or_else(PoisonError::into_inner);
            let found = scripts.iter_mut().find(|(path, _)| *path == request.path);
            match found {
                Some((_, script)) => script.next(request),
                None => FakeResponse::status(404).body("{}"),
            }
        })
    }

    /// Makes each response take this long.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Returns a client that sends no request again by itself, and polls every 10 s.
    pub fn client(&self) -> Checksum {
        self.builder().build().expect("a client")
    }

    /// Returns the builder of [`client`](Self::client), for other settings.
    pub fn builder(&self) -> ChecksumBuilder {
        let transport = self.clone();
        Checksum::builder()
            .api_key(KEY.parse().expect("a key"))
            .base_url("https://checksum.invalid".parse().expect("a URL"))
            .retry_policy(RetryPolicy::none())
            .poll_policy(PollPolicy::fixed(Duration::from_secs(10)))
            .transport(move |request: reqwest::Request| {
                let transport = transport.clone();
                async move { transport.exchange(&request).await }
            })
    }

    /// Returns every request so far.
    pub fn log(&self) -> Vec<FakeRequest> {
        self.state().log.clone()
    }

    /// Returns a line for each request so far: its time in whole seconds, its method and its path,
    /// such as `10 GET /v1/me`.
    pub fn requests(&self) -> Vec<String> {
        self.state().log.iter().map(FakeRequest::line).collect()
    }

    /// Returns the highest number of requests that were in flight at once.
    pub fn max_in_flight(&self) -> usize {
        self.state().max_in_flight
    }

    async fn exchange(
        &self,
        request: &reqwest::Request,
    ) -> Result<reqwest::Response, TransportError> {
        let request = {
            let mut state = self.state();
            assert!(state.log.len() < MAX_REQUESTS, "requests without end");
            let request = FakeRequest::new(request, state.began.elapsed());
            state.log.push(request.clone());
            state.in_flight += 1;
            state.max_in_flight = state.max_in_flight.max(state.in_flight);
            request
        };
        let _in_flight = InFlight(self);
        let response = (self.respond)(&request);
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        response.sent().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Script> for FakeTransport {
    fn from(script: Script) -> Self {
        let script = Mutex::new(script);
        Self::new(move |request| {
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            script.next(request)
        })
    }
}

/// Counts a request as in flight until its response is there or nobody waits for it any more.
struct InFlight<'a>(&'a FakeTransport);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}

impl FakeRequest {
    fn new(request: &reqwest::Request, at: Duration) -> Self {
        let url = request.url();
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = body.map(|body| serde_json::from_slice(body).expect("a body of JSON"));
        Self {
            at,
            method: request.method().clone(),
            path: url.path().trim_start_matches("/public-api").to_owned(),
            url: url.clone(),
            headers: request.headers().clone(),
            body: body.unwrap_or_default(),
        }
    }

    fn line(&self) -> String {
        format!("{} {} {}", self.at.as_secs(), self.method, self.path)
    }
}

impl fmt::Display for FakeResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.chars().take(80).collect();
        match self.outcome {
            Outcome::Status(status) => write!(formatter, "{status}")?,
            Outcome::NotSent => formatter.write_str("not sent")?,
            Outcome::Never => formatter.write_str("no response")?,
        }
        for (name, value) in &self.headers {
            write!(formatter, ", {name}: {value}")?;
        }
        match body.as_str() {
            "" => Ok(()),
            body => write!(formatter, ", {body:?}"),
        }
    }
}
