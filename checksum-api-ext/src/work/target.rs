use std::time::SystemTime;

use tokio::time::Instant;

use super::{Handle, WatchReport, WorkChange};
use crate::batch::{Batch, BatchStatus, Kind};
use crate::core::Core;
use crate::error::Error;
use crate::poll::{Ended, Pollable};
use crate::run::{Run, RunStatus};

/// The work behind a handle, for as long as one look takes.
pub(super) enum Target {
    Run(Run),
    Batch(Batch),
}

/// What a look saw, in a box, since thousands are kept.
#[derive(Clone)]
pub(super) enum Status {
    Run(Box<RunStatus>),
    Batch(Box<BatchStatus>),
}

impl Target {
    pub(super) fn new(core: &Core, handle: &Handle) -> Self {
        match handle {
            Handle::Run(handle) => Self::Run(Run::new(core, handle.clone())),
            Handle::HealBatch(handle) => Self::Batch(Batch::new(core, Kind::Heal, handle.clone())),
            Handle::GenerationBatch(handle) => {
                Self::Batch(Batch::new(core, Kind::Generation, handle.clone()))
            }
        }
    }

    /// With what the last look has taught of the way.
    pub(super) fn handle(&self) -> Handle {
        match self {
            Self::Run(run) => run.into(),
            Self::Batch(batch) => match batch.kind() {
                Kind::Heal => Handle::HealBatch(batch.handle().clone()),
                Kind::Generation => Handle::GenerationBatch(batch.handle().clone()),
            },
        }
    }
}

impl Status {
    fn run(&self) -> Option<&RunStatus> {
        match self {
            Self::Run(status) => Some(status),
            Self::Batch(_) => None,
        }
    }

    fn batch(&self) -> Option<&BatchStatus> {
        match self {
            Self::Batch(status) => Some(status),
            Self::Run(_) => None,
        }
    }
}

impl Pollable for Target {
    type Status = Status;
    type Change = WorkChange;
    type End = WatchReport;

    fn name(&self) -> String {
        self.handle().to_string()
    }

    async fn look(&mut self) -> Result<Status, Error> {
        Ok(match self {
            Self::Run(run) => Status::Run(Box::new(Pollable::look(run).await?)),
            Self::Batch(batch) => Status::Batch(Box::new(batch.look().await?)),
        })
    }

    fn ended(status: &Status) -> Ended {
        match status {
            Status::Run(status) => Run::ended(status),
            Status::Batch(status) => Batch::ended(status),
        }
    }

    fn state(status: &Status) -> String {
        match status {
            Status::Run(status) => Run::state(status),
            Status::Batch(status) => Batch::state(status),
        }
    }

    fn changes(previous: Option<&Status>, current: &Status) -> Vec<WorkChange> {
        match current {
            Status::Run(current) => {
                let changes = Run::changes(previous.and_then(Status::run), current);
                changes.into_iter().map(WorkChange::Run).collect()
            }
            Status::Batch(current) => {
                let changes = Batch::changes(previous.and_then(Status::batch), current);
                changes.into_iter().map(WorkChange::Batch).collect()
            }
        }
    }

    async fn end(&mut self, status: Status, deadline: Option<Instant>) -> WatchReport {
        match (self, status) {
            (Self::Run(run), Status::Run(status)) => {
                WatchReport::Run(Box::new(run.end(*status, deadline).await))
            }
            (_, Status::Batch(report)) => WatchReport::Batch(report),
            (_, Status::Run(_)) => unreachable!("a batch has no status of a run"),
        }
    }

    fn started_at(&self) -> Option<SystemTime> {
        match self {
            Self::Run(run) => run.started_at(),
            Self::Batch(batch) => batch.started_at(),
        }
    }
}
