use std::fmt;

use checksum_api::types::JobName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::batch::{BatchHandle, GenerationBatch, HealBatch};
use crate::run::{Run, RunHandle};

/// The way back to any work that goes on in the service: a small value to store anywhere.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use checksum_api_ext::Handle;
///
/// let saved = r#"[{"run": {"jobName": "job-name-12345"}}, {"healBatch": "heal-batch-789"}]"#;
/// let handles: Vec<Handle> = serde_json::from_str(saved)?;
/// assert_eq!(handles[1].to_string(), "healing batch heal-batch-789");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "The way back to any work that goes on in the service.")]
// Exhaustive: whoever resumes work has to know of each kind.
pub enum Handle {
    /// A run.
    Run(RunHandle),
    /// A healing batch.
    HealBatch(BatchHandle),
    /// A generation batch.
    GenerationBatch(BatchHandle),
}

impl Handle {
    /// Whether both lead to the same work, whatever else they know of it.
    pub fn is_same_work(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// The batch's id, or the run's job name, or its test run id where it has no job name.
    pub fn id(&self) -> &str {
        self.identity().1
    }

    pub(super) fn identity(&self) -> (&'static str, &str) {
        match self {
            Self::Run(handle) => handle.identity.as_pair(),
            Self::HealBatch(handle) => ("healing batch", handle.batch_id().as_str()),
            Self::GenerationBatch(handle) => ("generation batch", handle.batch_id().as_str()),
        }
    }
}

/// As in `run job-name-12345`.
impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = self.identity();
        write!(formatter, "{kind} {id}")
    }
}

impl From<RunHandle> for Handle {
    fn from(handle: RunHandle) -> Self {
        Self::Run(handle)
    }
}

impl From<JobName> for Handle {
    fn from(job_name: JobName) -> Self {
        Self::Run(job_name.into())
    }
}

impl From<&Run> for Handle {
    fn from(run: &Run) -> Self {
        Self::Run(run.handle())
    }
}

impl From<&HealBatch> for Handle {
    fn from(batch: &HealBatch) -> Self {
        Self::HealBatch(batch.handle())
    }
}

impl From<&GenerationBatch> for Handle {
    fn from(batch: &GenerationBatch) -> Self {
        Self::GenerationBatch(batch.handle())
    }
}
