//! Runs: starting, polling and resuming them.

pub(crate) mod affected;
mod handle;
mod known_version;
mod outcome;
mod plain_status;
mod poll;
mod report;
mod selection;
mod start;
mod status;
mod wait;

use std::sync::Arc;

use checksum_api::RawResponse;
use checksum_api::types::{JobName, TestRunId};

pub use handle::{ApiVersion, RunHandle};
pub use outcome::Outcome;
pub(crate) use plain_status::PlainStatus;
pub use report::RunReport;
pub use selection::{Grep, Selection};
pub use start::StartRun;
pub use status::RunStatus;

use self::known_version::KnownVersion;
use crate::core::Core;
use crate::error::Error;
use crate::poll::{Event, PollPolicy};

/// An event of a wait for a run.
pub type RunEvent = Event<RunStatus, RunReport>;

/// One triggered execution of tests.
///
/// Awaiting it waits until it is done; [`events`](Self::events) reports its progress. Dropping it,
/// or a wait on it, stops polling and nothing else: the API cannot cancel a run.
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
/// let run = checksum.run_suite().start().await?;
/// assert_eq!(run.job_name().map(|name| name.as_str()), Some("job-name-12345"));
/// let report = run.await?;
/// assert!(report.outcome().is_success());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a run goes on unwatched unless it is awaited or its handle is kept"]
pub struct Run {
    polled: Arc<PolledRun>,
    policy: PollPolicy,
    start_response: Option<Arc<RawResponse>>,
}

/// What a run is polled by. Clones of a run share it, and so do its waits. A set keeps nothing else of
/// the thousands of runs that it watches.
#[derive(Debug)]
pub(crate) struct PolledRun {
    core: Core,
    handle: RunHandle,
    known_version: KnownVersion,
}

impl Run {
    pub(crate) fn new(core: &Core, handle: RunHandle) -> Self {
        Self {
            polled: Arc::new(PolledRun::new(core, handle)),
            policy: core.poll,
            start_response: None,
        }
    }

    fn with_start_response(mut self, response: RawResponse) -> Self {
        self.start_response = Some(Arc::new(response));
        self
    }

    /// Returns the response to the request that started the run: its request id, headers and body.
    /// `None` if the run was resumed.
    pub fn start_response(&self) -> Option<&RawResponse> {
        self.start_response.as_deref()
    }

    /// Returns the name that the service gave the run. A sharded run has none, and has a
    /// [`test_run_id`](Self::test_run_id) in its place.
    pub fn job_name(&self) -> Option<&JobName> {
        self.polled.handle.job_name()
    }

    /// Returns the test run's id if the service named it at the start. Otherwise it is known when
    /// the run has ended: [`RunReport::test_run_id`].
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.polled.handle.test_run_id()
    }

    /// Returns the handle by which any process can resume the run: a small value to store. It never
    /// changes, so that storing it once is enough.
    pub fn handle(&self) -> RunHandle {
        self.polled.handle.clone()
    }

    /// Polls once, and returns the status, whichever API version responds. A status that seems
    /// terminal is confirmed by the test run id, if that is known. The confirmation of a pass waits for
    /// its turn in
    /// [`max_requests_per_second`](crate::ChecksumBuilder::max_requests_per_second), as polls do.
    ///
    /// # Errors
    ///
    /// The request failed, after the client's [`RetryPolicy`](crate::RetryPolicy).
    pub async fn status(&self) -> Result<RunStatus, Error> {
        Ok(*self.polled.poll(&self.policy).await?)
    }
}
