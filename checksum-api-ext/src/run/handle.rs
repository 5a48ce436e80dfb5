use std::time::SystemTime;

use checksum_api::types::{JobName, TestRunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// The way back to a run: a small value to store anywhere and resume from in any process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().await?;
/// # let checksum = checksum_api_ext::Checksum::builder()
/// #     .api_key("my-key".parse()?)
/// #     .base_url(mock.url().parse()?)
/// #     .poll(checksum_api_ext::PollPolicy::every(std::time::Duration::ZERO))
/// #     .build()?;
/// use checksum_api_ext::RunHandle;
///
/// let run = checksum.run_suite().start().await?;
/// let saved = serde_json::to_string(&run.handle())?;
///
/// let run = checksum.resume(serde_json::from_str::<RunHandle>(&saved)?);
/// assert_eq!(run.status().await?.state().as_str(), "queued");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "The way back to a run.")]
pub struct RunHandle {
    pub(crate) job_name: JobName,
    /// The version whose status route is asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_version: Option<ApiVersion>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_pinned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test_run_id: Option<TestRunId>,
    /// Whether healing was asked for; not known of a run that was taken up by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_healing: Option<bool>,
    /// When the run was started, in UTC; not known of a run that was taken up by its name.
    #[serde(
        default,
        with = "timestamp::option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub(crate) started_at: Option<SystemTime>,
}

/// A version of the API, of which each has a status route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// Answers for runs of a suite, a collection, named tests and the older grep.
    V1,
    /// Answers for runs of grep, and names the test run when the run has ended.
    V2,
}

impl ApiVersion {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }
}

impl RunHandle {
    /// A handle from a job name alone. The client asks v2 first, and learns from the answers.
    pub fn new(job_name: JobName) -> Self {
        Self {
            job_name,
            api_version: None,
            is_pinned: false,
            test_run_id: None,
            is_healing: None,
            started_at: None,
        }
    }

    /// Asks that version's status route and no other.
    #[must_use]
    pub fn pin(mut self, version: ApiVersion) -> Self {
        self.api_version = Some(version);
        self.is_pinned = true;
        self
    }

    /// The run's name.
    pub fn job_name(&self) -> &JobName {
        &self.job_name
    }

    /// Whether the run was started with [`AutoHeal`](crate::AutoHeal). `None` for a handle from a
    /// job name: the API does not tell.
    pub fn is_healing(&self) -> Option<bool> {
        self.is_healing
    }

    /// Returns when the run was started, where this is known. The service may not know a run yet
    /// that was started moments ago.
    pub fn started_at(&self) -> Option<SystemTime> {
        self.started_at
    }

    /// The test run, where it was known when the handle was taken.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.test_run_id.as_ref()
    }
}
