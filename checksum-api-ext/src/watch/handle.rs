//! The handle of a run or a batch.

use std::fmt;
use std::str::FromStr;

use checksum_api::types::JobName;
use serde::{Deserialize, Serialize};

use crate::batch::{BatchHandle, GenerationBatch, HealBatch, Kind};
use crate::error::Error;
use crate::run::{Run, RunHandle};

/// Everything that any process needs to resume a run or a batch: a small value to store anywhere,
/// as JSON.
///
/// It does not change while the work goes on, so that storing it once is enough. Its text is a key,
/// which is unique to the work, and the same for every handle of a run that has the job name:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use checksum_api_ext::Handle;
///
/// let stored = r#"[{"run": {"jobName": "job-name-12345"}}, {"healBatch": "heal-batch-789"}]"#;
/// let handles: Vec<Handle> = serde_json::from_str(stored)?;
/// assert_eq!(handles[0].to_string(), "run:job-name-12345");
/// assert_eq!(handles[1].to_string(), "heal-batch:heal-batch-789");
/// assert_eq!("heal-batch:heal-batch-789".parse::<Handle>()?, handles[1]);
/// # Ok(())
/// # }
/// ```
///
/// A key is enough to resume the work. The JSON has more, such as when the work was started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "The handle by which a run or a batch is resumed.")
)]
// Exhaustive, since code that resumes work has to handle each kind.
pub enum Handle {
    /// A run.
    Run(RunHandle),
    /// A healing batch.
    HealBatch(BatchHandle),
    /// A generation batch.
    GenerationBatch(BatchHandle),
}

impl Handle {
    /// Returns whether both handles have an id in common, so that they identify the same work.
    pub fn is_same_work(&self, other: &Self) -> bool {
        self.keys()
            .any(|key| other.keys().any(|other| key == other))
    }

    /// Returns the batch's id, or the run's job name, or its test run id if it has no job name.
    pub fn id(&self) -> &str {
        match self {
            Self::Run(handle) => handle.id(),
            Self::HealBatch(handle) | Self::GenerationBatch(handle) => handle.batch_id().as_str(),
        }
    }

    /// Returns the key of each id that the handle has, its own text first. Handles with a key in
    /// common are of the same work.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let test_run_id = match self {
            Self::Run(handle) if handle.job_name().is_some() => handle.test_run_id(),
            _ => None,
        };
        let test_run = test_run_id.map(|id| format!("test-run:{id}"));
        [self.to_string()].into_iter().chain(test_run)
    }
}

/// Formats the key: `run:JOB_NAME`, `test-run:TEST_RUN_ID`, `heal-batch:BATCH_ID` or
/// `generation-batch:BATCH_ID`.
impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(handle) => handle.fmt(formatter),
            Self::HealBatch(handle) => formatter.write_str(&Kind::Heal.key(handle.batch_id())),
            Self::GenerationBatch(handle) => {
                formatter.write_str(&Kind::Generation.key(handle.batch_id()))
            }
        }
    }
}

/// Reads a key, as [`Display`](fmt::Display) writes it.
impl FromStr for Handle {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self, Error> {
        let (kind, id) = key.split_once(':').unwrap_or_default();
        let handle = match kind {
            "run" => id.parse().map(|name| Self::Run(RunHandle::new(name))),
            "test-run" => id
                .parse()
                .map(|id| Self::Run(RunHandle::from_test_run_id(id))),
            "heal-batch" => id.parse().map(|id| Self::HealBatch(BatchHandle::new(id))),
            "generation-batch" => id
                .parse()
                .map(|id| Self::GenerationBatch(BatchHandle::new(id))),
            _ => {
                let expected = "run:, test-run:, heal-batch: or generation-batch: and an id";
                return Err(Error::invalid_handle(format!("a handle is {expected}")));
            }
        };
        handle.map_err(Error::invalid_handle)
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
