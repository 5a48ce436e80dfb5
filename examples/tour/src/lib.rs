//! What the example programs share: a client of a mock server.

pub mod exported;

use checksum_api_ext::{Checksum, ChecksumBuilder, Error, PollPolicy};
use checksum_mock::Mock;

/// Returns a client of the mock server. With an API key it is `Checksum::from_env()`.
///
/// # Errors
///
/// Never, for a mock server that runs.
pub fn client_of(mock: &Mock) -> Result<Checksum, Error> {
    builder_for(mock).build()
}

/// Returns a builder with the address of the mock server, which accepts any API key and is polled
/// without pauses.
///
/// # Panics
///
/// Never: the address and the key are valid.
pub fn builder_for(mock: &Mock) -> ChecksumBuilder {
    Checksum::builder()
        .api_key("any-key".parse().expect("a key"))
        .base_url(mock.url().parse().expect("a URL"))
        .poll_policy(PollPolicy::immediate())
}
