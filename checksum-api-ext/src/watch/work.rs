//! A run or a batch, as a set watches it.

use std::time::SystemTime;

use serde::Serialize;
use tokio::time::Instant;

use super::handle::Handle;
use crate::batch::{Batch, BatchStatus, Kind};
use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::{Event, Pollable, Status, Terminal};
use crate::run::{PlainStatus, PolledRun, RunReport, RunStatus};

/// An event of a run or a batch in a [`WatchSet`](crate::WatchSet).
pub type WatchEvent = Event<WatchStatus, WatchReport>;

/// The status of a run or a batch.
// Boxed, since thousands of them are kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum WatchStatus {
    /// The status of a run.
    Run(Box<RunStatus>),
    /// The status of a batch.
    Batch(Box<BatchStatus>),
}

/// The report of a run or a batch that is done.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum WatchReport {
    /// The report of a run.
    Run(Box<RunReport>),
    /// The status of a batch that is done.
    Batch(Box<BatchStatus>),
}

impl WatchStatus {
    /// Returns the state as the service names it, whichever kind of work it is.
    pub fn state(&self) -> &str {
        match self {
            Self::Run(status) => status.state().as_str(),
            Self::Batch(status) => status.state().as_str(),
        }
    }
}

impl WatchReport {
    /// Returns the state at the end as the service names it, whichever kind of work it is.
    pub fn state(&self) -> &str {
        match self {
            Self::Run(report) => report.state().as_str(),
            Self::Batch(status) => status.state().as_str(),
        }
    }

    /// Returns whether the run passed or was healed, or every session of the batch completed.
    pub fn is_success(&self) -> bool {
        match self {
            Self::Run(report) => report.outcome().is_success(),
            Self::Batch(status) => status.is_success(),
        }
    }
}

pub(super) enum Work {
    Run(PolledRun),
    Batch(Box<Batch>),
}

impl Work {
    pub(super) fn new(core: &Core, handle: Handle) -> Self {
        let batch = |kind, handle| Self::Batch(Box::new(Batch::new(core, kind, handle)));
        match handle {
            Handle::Run(handle) => Self::Run(PolledRun::new(core, handle)),
            Handle::HealBatch(handle) => batch(Kind::Heal, handle),
            Handle::GenerationBatch(handle) => batch(Kind::Generation, handle),
        }
    }

    pub(super) fn handle(&self) -> Handle {
        match self {
            Self::Run(run) => run.handle().clone().into(),
            Self::Batch(batch) => match batch.kind() {
                Kind::Heal => Handle::HealBatch(batch.handle().clone()),
                Kind::Generation => Handle::GenerationBatch(batch.handle().clone()),
            },
        }
    }
}

impl Pollable for Work {
    type Status = WatchStatus;
    type Report = WatchReport;

    fn describe(&self) -> String {
        match self {
            Self::Run(run) => run.handle().describe(),
            Self::Batch(batch) => batch.describe(),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Run(run) => run.handle().to_string(),
            Self::Batch(batch) => batch.key(),
        }
    }

    fn started_at(&self) -> Option<SystemTime> {
        match self {
            Self::Run(run) => run.handle().started_at(),
            Self::Batch(batch) => batch.started_at(),
        }
    }

    async fn poll(&self) -> Result<WatchStatus, Error> {
        Ok(match self {
            Self::Run(run) => WatchStatus::Run(run.poll_unconfirmed(Retry::Never).await?),
            Self::Batch(batch) => WatchStatus::Batch(Box::new(batch.poll().await?)),
        })
    }

    async fn complete(
        &self,
        status: WatchStatus,
        is_done: bool,
        deadline: Option<Instant>,
    ) -> WatchStatus {
        match (self, status) {
            (Self::Run(run), WatchStatus::Run(status)) => WatchStatus::Run(
                run.complete(status, is_done, &run.core().poll, deadline)
                    .await,
            ),
            (_, status) => status,
        }
    }

    fn report(&self, status: WatchStatus) -> WatchReport {
        match (self, status) {
            (Self::Run(run), WatchStatus::Run(status)) => {
                WatchReport::Run(Box::new(run.report(*status)))
            }
            (_, WatchStatus::Batch(status)) => WatchReport::Batch(status),
            (_, WatchStatus::Run(_)) => unreachable!("a batch has no status of a run"),
        }
    }

    fn outcome(report: &WatchReport) -> String {
        match report {
            WatchReport::Run(report) => report.outcome().to_string(),
            WatchReport::Batch(status) => Batch::outcome(status),
        }
    }
}

/// The last status of a work, as a set keeps it.
pub(crate) enum KeptStatus {
    Plain(PlainStatus),
    Run(Box<RunStatus>),
    Batch(Box<BatchStatus>),
}

impl Status for WatchStatus {
    type Kept = KeptStatus;

    fn keep(self) -> KeptStatus {
        match self {
            Self::Run(status) => match PlainStatus::of(&status) {
                Some(plain) => KeptStatus::Plain(plain),
                None => KeptStatus::Run(status),
            },
            Self::Batch(status) => KeptStatus::Batch(status),
        }
    }

    fn restore(kept: KeptStatus) -> Self {
        match kept {
            KeptStatus::Plain(plain) => Self::Run(Box::new(plain.into())),
            KeptStatus::Run(status) => Self::Run(status),
            KeptStatus::Batch(status) => Self::Batch(status),
        }
    }

    fn state(&self) -> &str {
        self.state()
    }

    fn terminal(&self) -> Terminal {
        match self {
            Self::Run(status) => status.terminal(),
            Self::Batch(status) => status.terminal(),
        }
    }

    fn differs_from(&self, previous: &KeptStatus) -> bool {
        match (self, previous) {
            (Self::Run(status), KeptStatus::Plain(previous)) => {
                *status.state() != previous.state() || status.counts().is_some()
            }
            (Self::Run(status), KeptStatus::Run(previous)) => status.differs_from(previous),
            (Self::Batch(status), KeptStatus::Batch(previous)) => status.differs_from(previous),
            _ => true,
        }
    }
}
