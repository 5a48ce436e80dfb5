//! Builds a client from settings or from the environment.

use std::collections::HashMap;
use std::env::{self, VarError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checksum_api::{
    ApiKey, ApiKeyProvider, BaseUrl, Client, ClientBuilder, RawResponse, Transport,
};

use crate::budget::Budget;
use crate::client::Checksum;
use crate::core::{Core, Parts};
use crate::error::Error;
use crate::poll::PollPolicy;
use crate::retry::RetryPolicy;

/// The name of the environment variable that holds the API key.
pub const API_KEY_ENV: &str = "CHECKSUM_API_KEY";

/// The name of the environment variable that holds the base URL.
pub const BASE_URL_ENV: &str = "CHECKSUM_API_BASE_URL";

/// The default of [`ChecksumBuilder::max_requests_per_second`]. The service documents no limit.
const MAX_REQUESTS_PER_SECOND: u32 = 25;

/// The settings of a [`Checksum`]. Returned by [`Checksum::builder`].
#[derive(Default)]
#[must_use]
pub struct ChecksumBuilder {
    api_key: Option<Arc<dyn ApiKeyProvider>>,
    base_url: BaseUrl,
    settings: Vec<Setting>,
    inspector: Option<Inspector>,
    has_own_transport: bool,
    retry: RetryPolicy,
    poll: PollPolicy,
    max_requests_per_second: Option<u32>,
    allows_no_tests: bool,
}

/// A setting of the raw client. It is kept until `build`, because the raw client's builder needs a
/// key.
type Setting = Box<dyn FnOnce(ClientBuilder) -> ClientBuilder + Send>;

type Inspector = Box<dyn Fn(&RawResponse) + Send + Sync>;

impl Checksum {
    /// Returns a builder. Only the API key has no default.
    pub fn builder() -> ChecksumBuilder {
        ChecksumBuilder::default()
    }

    /// Builds a client from `CHECKSUM_API_KEY` and, if it is set, `CHECKSUM_API_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): the key is missing, or one of
    /// the two variables is invalid. The message says which one and why.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder()
            .api_key_from_env()?
            .base_url_from_env()?
            .build()
    }
}

impl ChecksumBuilder {
    /// Sets the API key. There is no default.
    pub fn api_key(self, api_key: ApiKey) -> Self {
        self.api_key_provider(api_key)
    }

    /// Sets a provider of the API key, for a key that rotates while the program runs.
    ///
    /// After a response of 401 the client calls the provider again and, if it gets another key,
    /// repeats the request once. A poll that still gets 401 then counts as a poll failure, which a
    /// wait tolerates for [`PollPolicy::error_timeout`]; with a fixed key, 401 ends the wait at
    /// once.
    pub fn api_key_provider(mut self, provider: impl ApiKeyProvider) -> Self {
        self.api_key = Some(Arc::new(provider));
        self
    }

    /// Sets the base URL. Default: the service, `https://api.checksum.ai/public-api`.
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// Sets the API key from `CHECKSUM_API_KEY`, if that variable is set. White space around it is
    /// removed.
    ///
    /// # Errors
    ///
    /// The variable is set, and its value is not a key. A missing key is an error of
    /// [`build`](Self::build) only.
    pub fn api_key_from_env(self) -> Result<Self, Error> {
        Ok(match variable(API_KEY_ENV)? {
            None => self,
            Some(key) => {
                let key = ApiKey::new(key).map_err(|error| invalid(API_KEY_ENV, error))?;
                self.api_key(key)
            }
        })
    }

    /// Sets the base URL from `CHECKSUM_API_BASE_URL`, if that variable is set and not empty.
    ///
    /// # Errors
    ///
    /// The variable is set, and its value is not a base URL.
    pub fn base_url_from_env(mut self) -> Result<Self, Error> {
        if let Some(url) = variable(BASE_URL_ENV)?.filter(|url| !url.is_empty()) {
            self.base_url = url.parse().map_err(|error| invalid(BASE_URL_ENV, error))?;
        }
        Ok(self)
    }

    /// Sets how long one request may take, from connecting to the last byte of the response.
    /// Default: 30 s.
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.configure_raw(move |raw| raw.request_timeout(timeout))
    }

    /// Sets the maximum size of a response body, in bytes. Default: 128 MiB.
    pub fn max_response_bytes(self, bytes: usize) -> Self {
        self.configure_raw(move |raw| raw.max_response_bytes(bytes))
    }

    /// Sets the `User-Agent` header. Default: `checksum-api-ext/` and the version of this crate.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        let user_agent = user_agent.into();
        self.configure_raw(move |raw| raw.user_agent(user_agent))
    }

    /// Trusts the certificate authorities in `pem`, one or several certificates in PEM, in addition
    /// to those of the system.
    pub fn add_root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        let pem = pem.into();
        self.configure_raw(move |raw| raw.add_root_certificates(pem))
    }

    /// Allows a plain http base URL that is not on this machine. Anyone on the network can then
    /// read the key. Default: an error.
    pub fn allow_plain_http(self) -> Self {
        self.configure_raw(ClientBuilder::allow_plain_http)
    }

    /// Sets the transport that sends requests: a `reqwest::Client`, or the program's own HTTP
    /// stack. Default: an HTTP client of this crate.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.has_own_transport = true;
        self.configure_raw(move |raw| raw.transport(transport))
    }

    /// Sends the trace context of the program with each request, so that the service's spans can join
    /// the program's trace. Default: nothing is sent.
    ///
    /// `insert` is called within the span of the request. Of what it inserts, the headers
    /// `traceparent` and `tracestate` are sent, to the origin of the base URL only. OpenTelemetry's
    /// propagators insert into this map:
    ///
    /// ```ignore
    /// let builder = Checksum::builder().trace_context(|headers| {
    ///     let context = tracing::Span::current().context(); // of tracing-opentelemetry
    ///     TraceContextPropagator::new().inject_context(&context, headers);
    /// });
    /// ```
    ///
    /// [`examples/tour`](https://github.com/checksum-ai/checksum-rs/tree/main/examples/tour) is a
    /// program that does it.
    pub fn trace_context(
        self,
        insert: impl Fn(&mut HashMap<String, String>) + Send + Sync + 'static,
    ) -> Self {
        self.configure_raw(move |raw| raw.trace_context(insert))
    }

    /// Changes any other setting of the raw client, such as the proxy.
    pub fn configure_raw(
        mut self,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder + Send + 'static,
    ) -> Self {
        self.settings.push(Box::new(change));
        self
    }

    /// Calls `inspect` with each response of the API, including successes, before the response is
    /// decoded. `inspect` gets the status code, the request id, the headers and the body, and
    /// should return quickly. It is not called for downloads.
    ///
    /// A body may repeat the key; see [`raw::Client::redact`](crate::raw::Client::redact).
    pub fn inspect_responses(
        mut self,
        inspect: impl Fn(&RawResponse) + Send + Sync + 'static,
    ) -> Self {
        self.inspector = Some(Box::new(inspect));
        self
    }

    /// Sets when a failed request is retried. Default: [`RetryPolicy::default`].
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets how to wait for runs and batches that have no policy of their own. Default:
    /// [`PollPolicy::default`].
    pub fn poll_policy(mut self, policy: PollPolicy) -> Self {
        self.poll = policy;
        self
    }

    /// Sets how many polls and retries this client starts in a second at most; at least 1. Default:
    /// 25. Single waits, sets and retries share it, so that a service that recovers from an outage
    /// is not flooded.
    ///
    /// A set that has more runs than that polls those first that are the likeliest to have ended. At 25,
    /// each of ten thousand runs can be polled every 400 s:
    ///
    /// | ten thousand runs | mean lag of their ends | 1 in 20 is later than |
    /// | --- | ---: | ---: |
    /// | of 5 to 25 minutes, started together | 128 s | 325 s |
    /// | of 5 to 25 minutes, started one after the other | 147 s | 335 s |
    /// | of 8 minutes, started one after the other | 104 s | 224 s |
    /// | the same with [`PollPolicy::expecting`] | 86 s | 181 s |
    ///
    /// Polled in turn, runs that start one after the other are noticed after 206 s, or 166 s if they take 8
    /// minutes. Where runs start together, one is as
    /// likely to end as another, so that no order lowers the lag; for a hundred thousand it is 33 minutes.
    /// It falls as the limit rises.
    pub fn max_requests_per_second(mut self, requests: u32) -> Self {
        self.max_requests_per_second = Some(requests);
        self
    }

    /// Counts a run in which no test ran as a success if its state is `passed`. By default its
    /// outcome is [`Outcome::NoTests`](crate::Outcome::NoTests), which is not a success, because a
    /// selection that matches nothing tests nothing.
    pub fn allow_no_tests(mut self) -> Self {
        self.allows_no_tests = true;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): there is no API key, the base
    /// URL would expose it on a network, the environment names a proxy that cannot be used, or a
    /// root certificate is not PEM.
    pub fn build(self) -> Result<Checksum, Error> {
        let api_key = self.api_key.ok_or_else(|| {
            Error::configuration(format!(
                "no API key: set {API_KEY_ENV} (Settings, Project Settings in the dashboard)"
            ))
        })?;
        let builder = Client::builder(api_key)
            .base_url(self.base_url)
            .user_agent(concat!("checksum-api-ext/", env!("CARGO_PKG_VERSION")));
        let builder = self.settings.into_iter().fold(builder, |raw, set| set(raw));
        let client = builder.build();
        let mut client = client.map_err(|error| Error::configuration(error.to_string()))?;
        if let Some(inspect) = self.inspector {
            client = client.inspect_responses(inspect);
        }
        // The service must not be flooded; a server on this machine, or a test, may be.
        let may_poll_fast = client.base_url().is_loopback() || self.has_own_transport;
        let per_second = self
            .max_requests_per_second
            .unwrap_or(MAX_REQUESTS_PER_SECOND);
        Ok(Checksum::new(Core::new(Parts {
            client,
            retry: self.retry,
            poll: self.poll,
            budget: Arc::new(Budget::new(per_second)),
            may_poll_fast,
            allows_no_tests: self.allows_no_tests,
        })))
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

fn invalid(variable: &str, error: impl fmt::Display) -> Error {
    Error::configuration(format!("{variable}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder(url: &str) -> ChecksumBuilder {
        let key = "key".parse().expect("a key");
        let builder = Checksum::builder().api_key(key);
        builder.base_url(url.parse().expect("a URL"))
    }

    #[test]
    fn the_error_of_the_http_client_says_what_is_wrong() {
        let error = builder("https://api.checksum.ai")
            .user_agent("two\nlines")
            .build();
        let error = error.expect_err("no header value").to_string();
        assert_eq!(
            error,
            "cannot set up the HTTP client: failed to parse header value"
        );
    }

    #[test]
    fn only_loopback_and_an_own_transport_may_be_polled_fast() {
        for (url, may_poll_fast) in [
            ("https://api.checksum.ai", false),
            ("https://10.0.0.1", false),
            ("http://127.0.0.1:4010", true),
            ("http://[::1]:4010", true),
        ] {
            let checksum = builder(url).build().expect("a client");
            assert_eq!(checksum.core.may_poll_fast, may_poll_fast, "{url}");
        }
        let elsewhere = builder("http://127.0.0.1:4010")
            .configure_raw(|raw| raw.base_url(BaseUrl::default()))
            .build();
        assert!(!elsewhere.expect("a client").core.may_poll_fast);
        let transport = |_| std::future::pending();
        let own = builder("https://api.checksum.ai").transport(transport);
        assert!(own.build().expect("a client").core.may_poll_fast);
    }
}
