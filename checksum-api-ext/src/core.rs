//! The raw client and its policies. Every value of this crate that sends requests holds them.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use checksum_api::{BaseUrl, Client, ErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::budget::Budget;
use crate::error::Error;
use crate::extra_fields::ExtraFields;
use crate::poll::PollPolicy;
use crate::retry::RetryPolicy;
use crate::telemetry::{TARGET, record_sends};

/// Whether a failed read is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Retry {
    /// Not retried, because the poller decides when to poll again. The request counts towards the
    /// client's budget.
    Never,
    /// Retried as the [`RetryPolicy`] says.
    ByPolicy,
}

/// The minimum timeout of a request that starts work, whatever the deadline. If such a request is
/// abandoned in flight, it is unknown whether the work has started.
const MIN_START_TIME: Duration = Duration::from_secs(1);

/// The raw client and the policies of a [`Checksum`](crate::Checksum). Cheap to clone, and one pointer
/// large, because each of thousands of watched runs holds it.
#[derive(Clone, Debug)]
pub(crate) struct Core(Arc<Parts>);

#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) retry: RetryPolicy,
    pub(crate) poll: PollPolicy,
    pub(crate) budget: Arc<Budget>,
    /// Whether polls may follow each other faster than once a second.
    pub(crate) may_poll_fast: bool,
    pub(crate) allows_no_tests: bool,
}

impl Deref for Core {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let key = checksum_api::ApiKey::new("key").expect("a key");
        Self::new(Parts {
            client: Client::builder(key).build().expect("a client"),
            retry: RetryPolicy::none(),
            poll: PollPolicy::immediate(),
            budget: Arc::new(Budget::new(1)),
            may_poll_fast: true,
            allows_no_tests: false,
        })
    }

    /// Returns the core with this poll policy.
    pub(crate) fn with_poll_policy(&self, poll: PollPolicy) -> Self {
        Self::new(Parts {
            poll,
            ..Parts::clone(self)
        })
    }

    pub(crate) fn api(&self) -> &Client {
        &self.client
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        self.client.base_url()
    }

    /// Returns the policy with the constraints of this client.
    pub(crate) fn applied(&self, policy: PollPolicy) -> PollPolicy {
        policy.for_client(self.may_poll_fast, self.client.has_fixed_api_key())
    }

    /// Waits until the client's budget allows one more poll or retry.
    pub(crate) async fn acquire(&self) {
        if !self.budget.try_acquire() {
            self.budget.acquire().await;
        }
    }

    /// Does the same, but not for longer than until a deadline. Returns whether the budget allows it.
    pub(crate) async fn acquire_until(&self, deadline: Option<Instant>) -> bool {
        match deadline {
            None => self.acquire().await,
            Some(deadline) => return timeout_at(deadline, self.acquire()).await.is_ok(),
        }
        true
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
        let may_retry = |error: &checksum_api::Error| error.is_transient();
        match retry {
            Retry::Never => {
                self.acquire().await;
                Ok(send().await?)
            }
            Retry::ByPolicy => Ok(self.with_retries(send, may_retry, None).await?),
        }
    }

    /// Sends a request that starts work, with fields that the document does not have.
    ///
    /// It is retried only if the service cannot have acted on it, and not after the deadline of the
    /// client's poll policy.
    pub(crate) async fn dispatch<T, Sending>(
        &self,
        fields: ExtraFields,
        send: impl Fn(Client) -> Sending,
    ) -> Result<T, Error>
    where
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let may_retry = |error: &checksum_api::Error| {
            let is_retryable = matches!(error.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
            is_retryable && !error.may_have_taken_effect()
        };
        let client = self.client.with_extra_fields(fields.0);
        let limit = self.poll.deadline;
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let sends = AtomicU32::new(0);
        let send = || {
            sends.fetch_add(1, Ordering::Relaxed);
            send(limited(&client, deadline))
        };
        let started = self.with_retries(send, may_retry, deadline).await;
        record_sends(sends.into_inner());
        started.map_err(Error::of_start)
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
            if !self.acquire_until(deadline).await {
                return Err(error);
            }
            delayed += delay;
        }
    }
}

/// Returns the client with a request timeout that ends at the deadline, if the client's own would
/// end later.
fn limited(client: &Client, deadline: Option<Instant>) -> Client {
    match deadline.map(|deadline| (deadline - Instant::now()).max(MIN_START_TIME)) {
        Some(left) if left < client.request_timeout() => client.with_request_timeout(left),
        _ => client.clone(),
    }
}
