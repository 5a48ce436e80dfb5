//! How a batch is polled and waited for.

use std::time::SystemTime;

use super::status::BatchStatus;
use super::{Batch, Kind};
use crate::core::Retry;
use crate::error::Error;
use crate::poll::{Events, Pollable, Poller, Status, Terminal, until_done};

impl Batch {
    pub(super) async fn wait(self) -> Result<BatchStatus, Error> {
        let policy = self.core.applied(self.policy);
        until_done(self, policy).await
    }

    pub(super) fn events(&self) -> Events<BatchStatus, BatchStatus> {
        let policy = self.core.applied(self.policy);
        Events::new(Poller::of_one(self.clone(), policy))
    }
}

impl Pollable for Batch {
    type Status = BatchStatus;
    type Report = BatchStatus;

    fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Heal => "healing",
            Kind::Generation => "generation",
        };
        format!("{kind} batch {}", self.id())
    }

    fn key(&self) -> String {
        self.kind.key(self.id())
    }

    fn started_at(&self) -> Option<SystemTime> {
        self.handle.started_at()
    }

    async fn poll(&self) -> Result<BatchStatus, Error> {
        self.status(Retry::Never).await
    }

    fn report(&self, status: BatchStatus) -> BatchStatus {
        status
    }

    fn outcome(report: &BatchStatus) -> String {
        report.state().to_string()
    }
}

impl Status for BatchStatus {
    type Kept = Self;

    fn keep(self) -> Self {
        self
    }

    fn restore(kept: Self) -> Self {
        kept
    }

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
