//! What the tests in `tests/` share: clients of services that have no socket, so that tokio's clock
//! can be paused and every time is exact.

pub mod document;
pub mod ext_operations;
pub mod fake_transport;
pub mod memory;
pub mod operations;
pub mod request_capture;
pub mod week;
pub mod wording;

pub use fake_transport::{FakeRequest, FakeResponse, FakeTransport, KEY, Script};

use std::sync::atomic::{AtomicUsize, Ordering};

use checksum_api_ext::{Checksum, ChecksumBuilder, PollPolicy};
use checksum_mock::Mock;
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
