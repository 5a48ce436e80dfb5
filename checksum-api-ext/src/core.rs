//! What every value of this crate that sends requests holds: the raw client, and how to retry and poll
//! with it.

use std::sync::Arc;
use std::time::Duration;

use checksum_api::{BaseUrl, Client, ErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::TARGET;
use crate::budget::Budget;
use crate::error::Error;
use crate::members::Members;
use crate::poll::PollPolicy;
use crate::retry::RetryPolicy;

/// Whether a failed read is sent again.
#[derive(Clone, Copy, Debug)]
pub enum Retry {
    /// The poller decides what follows. The request counts towards the client's budget.
    Never,
    /// As the [`RetryPolicy`] says.
    ByPolicy,
}

/// The least time that a request which starts work is given, whatever the deadline. Giving it up
/// in flight leaves unknown whether the work has started.
const MIN_START_TIME: Duration = Duration::from_secs(1);

/// The raw client and the policies of a [`Checksum`](crate::Checksum). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Core {
    pub(crate) client: Client,
    pub(crate) retry: RetryPolicy,
    pub(crate) poll: Arc<PollPolicy>,
    pub(crate) budget: Arc<Budget>,
    /// Whether polls may follow each other faster than once a second.
    pub(crate) may_poll_fast: bool,
    pub(crate) allows_no_tests: bool,
}

impl Core {
    pub(crate) fn api(&self) -> &Client {
        &self.client
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        self.client.base_url()
    }

    pub(crate) fn poll_policy(&self) -> PollPolicy {
        *self.poll
    }

    /// Returns the policy with what this client adds to it.
    pub(crate) fn applied(&self, policy: PollPolicy) -> PollPolicy {
        policy.for_client(self.may_poll_fast, self.client.has_fixed_api_key())
    }

    /// Returns a core whose requests carry fields that the document does not have.
    pub(crate) fn with_extra_fields(&self, fields: Members) -> Self {
        Self {
            client: self.client.with_extra_fields(fields.0),
            ..self.clone()
        }
    }

    /// Returns a core that passes the body of each successful response to `inspect`.
    pub(crate) fn inspected(&self, inspect: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self {
            client: self.client.inspect_responses(move |response| {
                if response.status.is_success() {
                    inspect(&response.body);
                }
            }),
            ..self.clone()
        }
    }

    /// Waits until the client's budget allows one more poll or retry.
    pub(crate) async fn acquire(&self) {
        self.budget.acquire().await;
    }

    /// Sends a request that starts nothing, so that it may be retried.
    pub(crate) async fn read<T, Sending>(
        &self,
        retry: Retry,
        send: impl Fn() -> Sending,
    ) -> Result<T, Error>
    where
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let may_retry = |error: &checksum_api::Error| match retry {
            Retry::Never => false,
            Retry::ByPolicy => error.is_transient(),
        };
        if let Retry::Never = retry {
            self.acquire().await;
        }
        Ok(self.with_retries(send, may_retry, None).await?)
    }

    /// Sends a request that starts work. It is retried only where the service cannot have acted on
    /// it, and not after `time_limit`.
    pub(crate) async fn dispatch<T, Body, Sending>(
        &self,
        time_limit: Option<Duration>,
        body: Body,
        send: impl Fn(Client, Body) -> Sending,
    ) -> Result<T, Error>
    where
        Body: Clone,
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let may_retry = |error: &checksum_api::Error| {
            let is_retryable = matches!(error.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
            is_retryable && !error.may_have_taken_effect()
        };
        let deadline = time_limit.and_then(|limit| Instant::now().checked_add(limit));
        let send = || send(self.limited(deadline), body.clone());
        self.with_retries(send, may_retry, deadline)
            .await
            .map_err(Error::of_start)
    }

    async fn with_retries<T, Sending>(
        &self,
        send: impl Fn() -> Sending,
        may_retry: impl Fn(&checksum_api::Error) -> bool,
        deadline: Option<Instant>,
    ) -> Result<T, checksum_api::Error>
    where
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let mut delayed = Duration::ZERO;
        let mut attempts = 0;
        loop {
            let error = match send().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            attempts += 1;
            let is_in_time = |delay: &Duration| {
                deadline.is_none_or(|deadline| *delay < deadline - Instant::now())
            };
            let delay = self.retry.next(attempts, delayed, error.retry_after());
            let Some(delay) = delay.filter(|delay| may_retry(&error) && is_in_time(delay)) else {
                return Err(error);
            };
            tracing::debug!(target: TARGET, %error, attempts, ?delay, "retrying");
            tokio::time::sleep(delay).await;
            match deadline {
                None => self.acquire().await,
                Some(deadline) => {
                    if timeout_at(deadline, self.acquire()).await.is_err() {
                        return Err(error);
                    }
                }
            }
            delayed += delay;
        }
    }

    /// Returns the client with what is left until the deadline as its request timeout, if that is
    /// less than its own.
    fn limited(&self, deadline: Option<Instant>) -> Client {
        match deadline.map(|deadline| (deadline - Instant::now()).max(MIN_START_TIME)) {
            Some(left) if left < self.client.request_timeout() => {
                self.client.with_request_timeout(left)
            }
            _ => self.client.clone(),
        }
    }
}
