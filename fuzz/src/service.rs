//! A service in process, which gives the responses that it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use checksum_api::TransportError;
use checksum_api_ext::{Checksum, PollPolicy, RetryPolicy, Url};
use http::{HeaderValue, Response};
use tokio::runtime::{Builder, Runtime};

/// The API key of the client.
pub(crate) const KEY: &str = "key-that-must-not-show";

/// More requests than a wait of an hour needs.
pub(crate) const MAX_REQUESTS: usize = 1000;

const BASE: &str = "http://127.0.0.1/public-api";

#[derive(Default)]
struct State {
    responses: VecDeque<Response<Bytes>>,
    requests: Vec<Url>,
}

struct Service {
    runtime: Runtime,
    checksum: Checksum,
    state: Arc<Mutex<State>>,
}

thread_local! {
    static SERVICE: Service = Service::new();
}

impl Service {
    fn new() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let service = state.clone();
        let send = move |request: reqwest::Request| {
            let response = lock(&service).respond(request.url());
            async move { Ok::<_, TransportError>(response.into()) }
        };
        // A minute between polls, and an hour of them: time is paused.
        let policy = PollPolicy::fixed(Duration::from_secs(60));
        let checksum = Checksum::builder()
            .api_key(KEY.parse().expect("a key"))
            .base_url(BASE.parse().expect("a URL"))
            .poll_policy(policy.deadline(Duration::from_secs(3600)))
            .retry_policy(RetryPolicy::none())
            .transport(send);
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        Self {
            runtime: runtime.expect("a runtime"),
            checksum: checksum.build().expect("a client"),
            state,
        }
    }
}

impl State {
    /// Returns the next response, or the last one again. The key goes to one origin only.
    fn respond(&mut self, url: &Url) -> Response<Bytes> {
        let origin = url.origin().ascii_serialization();
        assert!(
            BASE.strip_prefix(&origin)
                .is_some_and(|rest| rest.starts_with('/')),
            "{url}"
        );
        self.requests.push(url.clone());
        assert!(self.requests.len() < MAX_REQUESTS, "requests without end");
        match self.responses.len() {
            1 => self.responses[0].clone(),
            _ => self.responses.pop_front().expect("a response"),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a response. `header` is its `Retry-After` and its `Location`, if it can be one.
pub(crate) fn response(status: u16, header: &str, body: &[u8]) -> Response<Bytes> {
    let body = Bytes::copy_from_slice(body);
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(header) {
        let headers = response.headers_mut();
        headers.insert("retry-after", value.clone());
        headers.insert("location", value);
    }
    response
}

/// Makes calls that get these responses in turn, and then the last one again. Returns the result, and
/// the URL of each request.
pub(crate) fn exchange<T>(
    responses: impl Into<VecDeque<Response<Bytes>>>,
    call: impl AsyncFnOnce(&Checksum) -> T,
) -> (T, Vec<Url>) {
    SERVICE.with(|service| {
        *lock(&service.state) = State {
            responses: responses.into(),
            requests: Vec::new(),
        };
        let result = service.runtime.block_on(call(&service.checksum));
        (result, lock(&service.state).requests.clone())
    })
}
