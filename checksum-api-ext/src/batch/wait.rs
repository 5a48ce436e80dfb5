//! How a batch is polled and waited for.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::SystemTime;

use super::Batch;
use super::kind::BatchKind;
use super::status::BatchStatus;
use crate::core::Retry;
use crate::error::Error;
use crate::poll::{Events, PollPolicy, Pollable, Poller, Status, Terminal, until_done};

impl<K: BatchKind> Batch<K> {
    /// Waits by this policy in place of the client's.
    pub fn with_poll_policy(mut self, policy: PollPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Waits until every session is done. Awaiting the batch itself does the same.
    ///
    /// # Errors
    ///
    /// As for [`Run::wait`](crate::Run::wait).
    pub async fn wait(self) -> Result<BatchStatus, Error> {
        let policy = self.core.applied(self.policy);
        until_done(self, policy).await
    }

    /// Returns a stream of what happens until every session is done. The last item is
    /// [`Finished`](crate::Event::Finished), or the error that ended the wait.
    pub fn events(&self) -> Events<BatchStatus, BatchStatus> {
        let policy = self.core.applied(self.policy);
        Events::new(Poller::of_one(self.clone(), policy))
    }
}

impl<K: BatchKind> IntoFuture for Batch<K> {
    type Output = Result<BatchStatus, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

impl<K: BatchKind> Pollable for Batch<K> {
    type Status = BatchStatus;
    type Report = BatchStatus;

    fn describe(&self) -> String {
        format!("{} batch {}", K::NAME, self.id())
    }

    fn started_at(&self) -> Option<SystemTime> {
        self.handle.started_at()
    }

    async fn poll(&self) -> Result<BatchStatus, Error> {
        K::poll(&self.core, Retry::Never, self.id()).await
    }

    fn report(&self, status: BatchStatus) -> BatchStatus {
        status
    }
}

impl Status for BatchStatus {
    fn state(&self) -> &str {
        self.0.status.as_str()
    }

    fn terminal(&self) -> Terminal {
        self.all_terminal().into()
    }

    fn differs_from(&self, previous: &Self) -> bool {
        self.state() != previous.state() || self.changed_sessions(Some(previous)).next().is_some()
    }
}
