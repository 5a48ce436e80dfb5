use checksum_api::types::RunState;
use schemars::JsonSchema;
use serde::Serialize;

use super::{RunReport, RunStatus};
use crate::poll::Event;

/// What happens to a run while it is watched.
pub type RunEvent = Event<RunChange, RunReport>;

/// A look at a run that saw another state or other counts than the one before.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunChange {
    /// The state before; `None` at the first look.
    pub previous: Option<RunState>,
    /// What the look saw.
    pub status: RunStatus,
}
