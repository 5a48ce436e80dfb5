//! The client's calls, from the call site to the request and back.

mod attachments;
#[cfg(feature = "blocking")]
mod blocking;
mod downloads;
mod independent_server;
mod raw_server;
mod results;

const KEY: &str = "key-that-must-not-show";

/// Returns a client of the mock server that polls and retries without delay.
fn client_of(mock: &checksum_mock::Mock) -> checksum_api_ext::Checksum {
    client_at(&mock.url())
}

fn client_at(origin: &str) -> checksum_api_ext::Checksum {
    use std::time::Duration;

    use checksum_api_ext::{ApiKey, Checksum, PollPolicy, RetryPolicy};

    Checksum::builder()
        .api_key(ApiKey::new(KEY).expect("a key"))
        .base_url(origin.parse().expect("a URL"))
        .poll_policy(PollPolicy::immediate())
        .retry_policy(RetryPolicy::default().initial_delay(Duration::ZERO))
        .build()
        .expect("a client")
}
