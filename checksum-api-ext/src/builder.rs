use std::env::{self, VarError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checksum_api::{ApiKey, ApiKeyProvider, BaseUrl, Client, Transport};

use crate::budget::Budget;
use crate::client::Checksum;
use crate::core::Core;
use crate::error::Error;
use crate::poll::PollPolicy;
use crate::retry::RetryPolicy;

/// The variable that holds the API key.
pub const API_KEY_ENV: &str = "CHECKSUM_API_KEY";

/// The variable that says where the API is.
pub const BASE_URL_ENV: &str = "CHECKSUM_API_BASE_URL";

/// The default of [`ChecksumBuilder::max_requests_per_second`]. The service documents no limit.
const MAX_REQUESTS_PER_SECOND: u32 = 25;

/// Settings of a [`Checksum`]; made by [`Checksum::builder`].
#[derive(Default)]
#[must_use]
pub struct ChecksumBuilder {
    api_key: Option<Arc<dyn ApiKeyProvider>>,
    base_url: BaseUrl,
    request_timeout: Option<Duration>,
    max_response_bytes: Option<usize>,
    user_agent: Option<String>,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
    retry: RetryPolicy,
    poll: PollPolicy,
    max_requests_per_second: Option<u32>,
    allows_no_tests: bool,
}

impl Checksum {
    /// Starts with nothing set; [`ChecksumBuilder::api_key`] is the one setting that is needed.
    pub fn builder() -> ChecksumBuilder {
        ChecksumBuilder::default()
    }

    /// Builds a client from `CHECKSUM_API_KEY` and, where it is set, `CHECKSUM_API_BASE_URL`.
    ///
    /// # Errors
    ///
    /// The key is missing, or one of the two cannot be used; the message says which and why.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder()
            .api_key_from_env()?
            .base_url_from_env()?
            .build()
    }
}

impl ChecksumBuilder {
    /// The API key. There is no default.
    pub fn api_key(mut self, api_key: ApiKey) -> Self {
        self.api_key = Some(Arc::new(api_key));
        self
    }

    /// Sets a provider of API keys, for keys that rotate while the program runs.
    ///
    /// After a response of 401 the provider is called again, and if it returns another key, the
    /// request is repeated once. A poll that still gets 401 counts as a poll failure, which a wait
    /// tolerates for [`PollPolicy::error_timeout`](crate::PollPolicy::error_timeout).
    pub fn api_key_provider(mut self, provider: impl ApiKeyProvider) -> Self {
        self.api_key = Some(Arc::new(provider));
        self
    }

    /// Where the API is; the default is the service itself.
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// Takes the API key from `CHECKSUM_API_KEY`, where it is set. White space around it is left
    /// out.
    ///
    /// # Errors
    ///
    /// It is set, and cannot be a key. A missing key is an error of [`build`](Self::build) only.
    pub fn api_key_from_env(mut self) -> Result<Self, Error> {
        if let Some(key) = variable(API_KEY_ENV)? {
            let key = ApiKey::new(key).map_err(|error| unusable(API_KEY_ENV, error))?;
            self.api_key = Some(Arc::new(key));
        }
        Ok(self)
    }

    /// Takes the base URL from `CHECKSUM_API_BASE_URL`, where it is set and not empty.
    ///
    /// # Errors
    ///
    /// It is set, and cannot be a base URL.
    pub fn base_url_from_env(mut self) -> Result<Self, Error> {
        if let Some(url) = variable(BASE_URL_ENV)?.filter(|url| !url.is_empty()) {
            self.base_url = url.parse().map_err(|error| unusable(BASE_URL_ENV, error))?;
        }
        Ok(self)
    }

    /// How long one request may take, from connecting to the last byte of the answer; 30 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// The size, in bytes, above which an answer is refused; 128 MiB.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = Some(bytes);
        self
    }

    /// The `User-Agent` header; the default names this crate and its version.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Accepts a plain http base URL that is not on this machine.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sends requests through something other than the built-in HTTP client.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// When a failed request is sent again.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How runs and batches are waited for, unless one of them is told otherwise.
    pub fn poll_policy(mut self, policy: PollPolicy) -> Self {
        self.poll = policy;
        self
    }

    /// How many polls and repeated requests this client starts in a second, at the most: 25, and
    /// never less than 1. Single waits, sets and retries share it, so that a service that comes
    /// back after an outage is not flooded.
    ///
    /// At 25, ten thousand runs are polled every 400 s.
    pub fn max_requests_per_second(mut self, requests: u32) -> Self {
        self.max_requests_per_second = Some(requests);
        self
    }

    /// Lets a run in which no test ran pass, where the service calls it passed. By default its
    /// outcome is [`Outcome::NoTests`](crate::Outcome::NoTests), which is no pass: a selection that
    /// matches nothing has tested nothing.
    pub fn allow_no_tests(mut self) -> Self {
        self.allows_no_tests = true;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// There is no API key, or the base URL would expose it on a network, or the environment names a
    /// proxy for it that cannot be used.
    pub fn build(self) -> Result<Checksum, Error> {
        let api_key = self.api_key.ok_or_else(|| {
            Error::configuration(format!(
                "no API key: set {API_KEY_ENV} (Settings, Project Settings in the dashboard)"
            ))
        })?;
        let user_agent = self
            .user_agent
            .unwrap_or_else(|| concat!("checksum-api-ext/", env!("CARGO_PKG_VERSION")).to_owned());
        // The service must not be flooded; a server on this machine, or a test, may be.
        let may_poll_fast = self.base_url.is_loopback() || self.transport.is_some();
        let mut builder = Client::builder(api_key)
            .base_url(self.base_url)
            .user_agent(user_agent);
        if let Some(timeout) = self.request_timeout {
            builder = builder.request_timeout(timeout);
        }
        if let Some(bytes) = self.max_response_bytes {
            builder = builder.max_response_bytes(bytes);
        }
        if self.plain_http {
            builder = builder.allow_plain_http();
        }
        if let Some(transport) = self.transport {
            builder = builder.transport(move |request| transport.send(request));
        }
        let per_second = self
            .max_requests_per_second
            .unwrap_or(MAX_REQUESTS_PER_SECOND);
        Ok(Checksum::new(Core {
            client: builder
                .build()
                .map_err(|error| Error::configuration(error.to_string()))?,
            retry: self.retry,
            poll: Arc::new(self.poll),
            budget: Arc::new(Budget::new(per_second)),
            may_poll_fast,
            allows_no_tests: self.allows_no_tests,
        }))
    }
}

fn variable(name: &'static str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::configuration(format!("{name} is not valid Unicode")))
        }
    }
}

fn unusable(variable: &str, error: impl fmt::Display) -> Error {
    Error::configuration(format!("{variable}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_a_transport_of_ones_own_may_be_polled_fast() {
        let builder = |url: &str| {
            let key = "key".parse().expect("a key");
            let builder = Checksum::builder().api_key(key);
            builder.base_url(url.parse().expect("a URL"))
        };
        for (url, may_poll_fast) in [
            ("https://api.checksum.ai", false),
            ("https://10.0.0.1", false),
            ("http://127.0.0.1:4010", true),
            ("http://[::1]:4010", true),
        ] {
            let checksum = builder(url).build().expect("a client");
            assert_eq!(checksum.core.may_poll_fast, may_poll_fast, "{url}");
        }
        let transport = |_| std::future::pending();
        let own = builder("https://api.checksum.ai").transport(transport);
        assert!(own.build().expect("a client").core.may_poll_fast);
    }
}
