//! A service without a socket, so that tokio's clock can be paused: a function from requests to
//! answers.

use std::time::Duration;

use checksum_api_ext::{ApiKey, Checksum, PollPolicy, RetryPolicy};
use http::Response;
use serde_json::Value;

/// A client that is answered by the function, looks every 10 s, and repeats no request of itself.
pub(crate) fn client(
    answer: impl Fn(&reqwest::Request) -> Response<reqwest::Body> + Send + Sync + 'static,
) -> Checksum {
    Checksum::builder()
        .api_key(ApiKey::new(crate::KEY).expect("a key"))
        .base_url("https://checksum.invalid".parse().expect("a URL"))
        .poll_policy(PollPolicy::fixed(Duration::from_secs(10)))
        .retry_policy(RetryPolicy::none())
        .transport(move |request: reqwest::Request| {
            let answer = answer(&request).into();
            async move { Ok(answer) }
        })
        .build()
        .expect("a client")
}

pub(crate) fn json(status: u16, body: &Value) -> Response<reqwest::Body> {
    Response::builder()
        .status(status)
        .body(body.to_string().into())
        .expect("a response")
}
