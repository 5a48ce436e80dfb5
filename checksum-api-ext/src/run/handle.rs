//! The handle of a run.

use std::fmt;
use std::time::SystemTime;

use checksum_api::types::{JobName, TestRunId};
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// Everything that any process needs to resume a run: a small value to store anywhere.
///
/// It does not change while the run goes on, so that storing it once is enough.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().await?;
/// # let checksum = checksum_api_ext::Checksum::builder()
/// #     .api_key("my-key".parse()?)
/// #     .base_url(mock.url().parse()?)
/// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
/// #     .build()?;
/// use checksum_api_ext::RunHandle;
///
/// let run = checksum.run_suite().start().await?;
/// let saved = serde_json::to_string(&run.handle())?;
///
/// let run = checksum.resume_run(serde_json::from_str::<RunHandle>(&saved)?);
/// assert_eq!(run.status().await?.state().as_str(), "queued");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "The handle by which a run is resumed.")
)]
pub struct RunHandle {
    #[serde(flatten)]
    #[cfg_attr(feature = "schemars", schemars(with = "Ids"))]
    pub(crate) identity: Identity,
    /// The version whose status route is polled first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_version: Option<ApiVersion>,
    // The aliases are the names in handles that were stored by an earlier version.
    #[serde(
        default,
        alias = "isPinned",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub(crate) pinned: bool,
    /// Whether healing was requested; unknown for a handle from an id.
    #[serde(default, alias = "isHealing", skip_serializing_if = "Option::is_none")]
    pub(crate) auto_heal: Option<bool>,
    /// When the run was started, in UTC; unknown for a handle from an id.
    #[serde(
        default,
        with = "timestamp::option",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub(crate) started_at: Option<SystemTime>,
}

/// The ids that a run is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ids", into = "Ids")]
pub(crate) enum Identity {
    Both {
        job_name: JobName,
        /// Boxed, since most runs of a set have only a job name.
        test_run_id: Box<TestRunId>,
    },
    JobName {
        job_name: JobName,
    },
    /// The test run id alone, as for a sharded run, which has no job name.
    TestRunId {
        test_run_id: TestRunId,
    },
}

/// The ids as they are stored.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ids {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_name: Option<JobName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_run_id: Option<TestRunId>,
}

impl TryFrom<Ids> for Identity {
    type Error = &'static str;

    fn try_from(ids: Ids) -> Result<Self, Self::Error> {
        Self::new(ids.job_name, ids.test_run_id).ok_or("a run has a jobName, a testRunId, or both")
    }
}

impl From<Identity> for Ids {
    fn from(identity: Identity) -> Self {
        Self {
            job_name: identity.job_name().cloned(),
            test_run_id: identity.test_run_id().cloned(),
        }
    }
}

impl Identity {
    /// Returns `None` without either id.
    pub(crate) fn new(job_name: Option<JobName>, test_run_id: Option<TestRunId>) -> Option<Self> {
        Some(match (job_name, test_run_id) {
            (Some(job_name), Some(test_run_id)) => Self::Both {
                job_name,
                test_run_id: Box::new(test_run_id),
            },
            (Some(job_name), None) => Self::JobName { job_name },
            (None, Some(test_run_id)) => Self::TestRunId { test_run_id },
            (None, None) => return None,
        })
    }

    pub(crate) fn job_name(&self) -> Option<&JobName> {
        match self {
            Self::Both { job_name, .. } | Self::JobName { job_name } => Some(job_name),
            Self::TestRunId { .. } => None,
        }
    }

    pub(crate) fn test_run_id(&self) -> Option<&TestRunId> {
        match self {
            Self::Both { test_run_id, .. } => Some(test_run_id),
            Self::TestRunId { test_run_id } => Some(test_run_id),
            Self::JobName { .. } => None,
        }
    }
}

/// A version of the API. Each has a status route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// The version whose status route responds for runs of a suite, a collection, tests by id and
    /// the older grep.
    V1,
    /// The version whose status route responds for runs of grep, and returns the test run id when
    /// the run is done.
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
    /// Returns a handle from a job name alone. The run polls v2 first, and v1 if v2 returns 404.
    pub fn new(job_name: JobName) -> Self {
        Self::of(Identity::JobName { job_name })
    }

    /// Returns a handle from a test run id alone, as a sharded run has it.
    ///
    /// The status by test run id is not documented: the operation is known from the vendor's own
    /// client, and the service may not have it.
    pub fn from_test_run_id(test_run_id: TestRunId) -> Self {
        Self::of(Identity::TestRunId { test_run_id })
    }

    /// Returns a handle from a job name, a test run id, or both; `None` without either.
    pub fn known_by(job_name: Option<JobName>, test_run_id: Option<TestRunId>) -> Option<Self> {
        Identity::new(job_name, test_run_id).map(Self::of)
    }

    pub(crate) fn of(identity: Identity) -> Self {
        Self {
            identity,
            api_version: None,
            pinned: false,
            auto_heal: None,
            started_at: None,
        }
    }

    /// Makes the run poll the status route of this version and no other, if it has a job name.
    #[must_use]
    pub fn pin_api_version(mut self, version: ApiVersion) -> Self {
        self.api_version = Some(version);
        self.pinned = true;
        self
    }

    /// Returns the name that the service gave the run. A sharded run has none, but a
    /// [`test_run_id`](Self::test_run_id).
    pub fn job_name(&self) -> Option<&JobName> {
        self.identity.job_name()
    }

    /// Returns whether the run was started with
    /// [`StartRun::auto_heal`](crate::StartRun::auto_heal); `None` for a handle from an id, since
    /// the API does not say.
    pub fn auto_heal(&self) -> Option<bool> {
        self.auto_heal
    }

    /// Returns when the run was started, if this is known. The service may not know a run yet that
    /// was started a moment ago.
    pub fn started_at(&self) -> Option<SystemTime> {
        self.started_at
    }

    /// Returns the test run's id, if the service gave it when it accepted the run.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.identity.test_run_id()
    }

    /// Returns the job name, or the test run id if the run has no job name.
    pub fn id(&self) -> &str {
        match &self.identity {
            Identity::Both { job_name, .. } | Identity::JobName { job_name } => job_name.as_str(),
            Identity::TestRunId { test_run_id } => test_run_id.as_str(),
        }
    }

    /// Returns a description for messages, such as `run job-name-12345`.
    pub(crate) fn describe(&self) -> String {
        match self.job_name() {
            Some(job_name) => format!("run {job_name}"),
            None => format!("test run {}", self.id()),
        }
    }
}

/// The key of the run's [`Handle`](crate::Handle), such as `run:job-name-12345`, or
/// `test-run:run-id` for a run that has no job name.
impl fmt::Display for RunHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.job_name() {
            Some(job_name) => write!(formatter, "run:{job_name}"),
            None => write!(formatter, "test-run:{}", self.id()),
        }
    }
}

impl From<JobName> for RunHandle {
    fn from(job_name: JobName) -> Self {
        Self::new(job_name)
    }
}

impl From<TestRunId> for RunHandle {
    fn from(test_run_id: TestRunId) -> Self {
        Self::from_test_run_id(test_run_id)
    }
}
