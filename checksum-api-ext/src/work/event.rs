use schemars::JsonSchema;
use serde::Serialize;

use crate::{BatchChange, BatchStatus, Event, RunChange, RunReport};

/// What happens to a run or a batch while a set of them is watched.
pub type WatchEvent = Event<WorkChange, WatchReport>;

/// Something about a run or a batch that is different from the last look.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum WorkChange {
    /// Of a run.
    Run(RunChange),
    /// Of a batch.
    Batch(BatchChange),
}

/// What is known of a run or a batch that has ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum WatchReport {
    /// Of a run.
    Run(Box<RunReport>),
    /// Of a batch.
    Batch(Box<BatchStatus>),
}

impl WatchReport {
    /// Whether the run passed, or no session of the batch failed.
    pub fn is_success(&self) -> bool {
        match self {
            Self::Run(report) => report.outcome().is_success(),
            Self::Batch(report) => report.is_success(),
        }
    }
}
