use std::sync::Arc;
use std::time::Duration;

use checksum_api::{Client, ErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::budget::Budget;
use crate::members::Members;
use crate::{Error, RetryPolicy, TARGET};

/// Whether a failed read is sent again.
#[derive(Clone, Copy, Debug)]
pub enum Effort {
    /// A poller decides what follows.
    Once,
    /// As the [`RetryPolicy`] says.
    Persistent,
}

/// How long a request that starts work may take at least, whatever time limit the caller has set.
/// To give it up in flight leaves unknown whether the work has started.
const MIN_START_TIME: Duration = Duration::from_secs(1);

/// Sends requests, and again where that is safe.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    pub(crate) retry: RetryPolicy,
    budget: Arc<Budget>,
}

impl Caller {
    pub(crate) fn new(client: Client, retry: RetryPolicy, budget: Budget) -> Self {
        Self {
            client,
            retry,
            budget: Arc::new(budget),
        }
    }

    pub(crate) fn api(&self) -> &Client {
        &self.client
    }

    /// A caller whose requests carry members that the document does not know.
    pub(crate) fn with_extra_fields(&self, members: Members) -> Self {
        Self {
            client: self.client.with_extra_fields(members.0),
            ..self.clone()
        }
    }

    /// A caller whose successful responses are also shown to `inspect`, as they came.
    pub(crate) fn inspected(&self, inspect: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self {
            client: self.client.inspect_responses(move |answer| {
                if answer.status.is_success() {
                    inspect(&answer.body);
                }
            }),
            ..self.clone()
        }
    }

    /// Waits until the client's budget allows one more poll or repetition.
    pub(crate) async fn acquire(&self) {
        self.budget.acquire().await;
    }

    /// A request that may be repeated.
    pub(crate) async fn read<T, Sending>(
        &self,
        effort: Effort,
        send: impl Fn() -> Sending,
    ) -> Result<T, Error>
    where
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let may_repeat = |error: &checksum_api::Error| match effort {
            Effort::Once => false,
            Effort::Persistent => error.is_transient(),
        };
        if let Effort::Once = effort {
            self.acquire().await;
        }
        Ok(self.repeat(send, may_repeat, None).await?)
    }

    /// A request that starts work: repeated only where the service cannot have acted on it, and
    /// within the time limit.
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
        let is_safe = |error: &checksum_api::Error| {
            let was_not_heard = matches!(error.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
            was_not_heard && !error.may_have_taken_effect()
        };
        let deadline = time_limit.and_then(|limit| Instant::now().checked_add(limit));
        let send = || send(self.limited(deadline), body.clone());
        self.repeat(send, is_safe, deadline)
            .await
            .map_err(Error::dispatch)
    }

    async fn repeat<T, Sending>(
        &self,
        send: impl Fn() -> Sending,
        may_repeat: impl Fn(&checksum_api::Error) -> bool,
        deadline: Option<Instant>,
    ) -> Result<T, checksum_api::Error>
    where
        Sending: Future<Output = Result<T, checksum_api::Error>>,
    {
        let mut paused = Duration::ZERO;
        let mut attempts = 0;
        loop {
            let error = match send().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            attempts += 1;
            let is_in_time = |pause: &Duration| {
                deadline.is_none_or(|deadline| *pause < deadline - Instant::now())
            };
            let pause = self.retry.next(attempts, paused, error.retry_after());
            match pause.filter(|pause| may_repeat(&error) && is_in_time(pause)) {
                None => return Err(error),
                Some(pause) => {
                    tracing::debug!(target: TARGET, %error, attempts, ?pause, "trying again");
                    tokio::time::sleep(pause).await;
                    match deadline {
                        None => self.acquire().await,
                        Some(deadline) => {
                            if timeout_at(deadline, self.acquire()).await.is_err() {
                                return Err(error);
                            }
                        }
                    }
                    paused += pause;
                }
            }
        }
    }

    /// The client with what is left until the deadline as its request time limit, if that is less.
    fn limited(&self, deadline: Option<Instant>) -> Client {
        match deadline.map(|deadline| (deadline - Instant::now()).max(MIN_START_TIME)) {
            Some(left) if left < self.client.request_timeout() => {
                self.client.with_request_timeout(left)
            }
            _ => self.client.clone(),
        }
    }
}
