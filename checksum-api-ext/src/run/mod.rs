//! Runs: starting, polling and resuming them.

pub(crate) mod affected;
mod change;
mod handle;
mod healing;
mod outcome;
mod report;
mod selection;
mod start;
mod status;

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use checksum_api::types::{JobName, TestRunId};
use checksum_api::{OperationId, RawResponse};
use futures_core::Stream;
use tokio::time::{Instant, timeout, timeout_at};

pub use change::{RunChange, RunEvent};
pub(crate) use handle::Identity;
pub use handle::{ApiVersion, RunHandle};
pub use outcome::Outcome;
pub use report::RunReport;
pub use selection::{Grep, Selection};
pub use start::StartRun;
pub use status::RunStatus;

use crate::TARGET;
use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::PollPolicy;
use crate::poll::{Ended, Pollable, Watch};

/// One triggered execution of tests.
///
/// Awaiting it waits for the end; [`events`](Self::events) tells what happens meanwhile. Dropping
/// it, or a wait on it, stops the looking and nothing else: the API cannot cancel a run.
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
    core: Core,
    handle: RunHandle,
    policy: PollPolicy,
    start_response: Option<Arc<RawResponse>>,
}

impl Run {
    pub(crate) fn new(core: &Core, handle: RunHandle) -> Self {
        Self {
            core: core.clone(),
            handle,
            policy: core.poll_policy(),
            start_response: None,
        }
    }

    fn with_start_response(mut self, response: Option<RawResponse>) -> Self {
        self.start_response = response.map(Arc::new);
        self
    }

    /// Returns the response to the request that started the run: its request id, headers and body.
    /// `None` if the run was resumed.
    pub fn start_response(&self) -> Option<&RawResponse> {
        self.start_response.as_deref()
    }

    /// The name that the service gave the run. A sharded run has none; a run that has none has a
    /// [`test_run_id`](Self::test_run_id).
    pub fn job_name(&self) -> Option<&JobName> {
        self.handle.job_name()
    }

    /// The test run, where the service named it when it accepted the run. Otherwise it is known
    /// when the run has ended: [`RunReport::test_run_id`].
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.handle.test_run_id()
    }

    /// What is needed to come back to the run, from any process: a small value to store.
    pub fn handle(&self) -> RunHandle {
        self.handle.clone()
    }

    /// Waits in another way than the client's.
    pub fn poll_policy(mut self, policy: PollPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Looks once, whatever version of the API answers. An end is confirmed by the test run id, where
    /// the start gave one beside the job name.
    ///
    /// # Errors
    ///
    /// The request failed, after the client's [`RetryPolicy`](crate::RetryPolicy).
    pub async fn status(&self) -> Result<RunStatus, Error> {
        self.look(Retry::ByPolicy).await
    }

    /// Waits to the end. Awaiting the run itself does the same.
    ///
    /// # Errors
    ///
    /// - The deadline passed: [`Error::WaitTimedOut`]. The run goes on.
    /// - Looking failed for longer than the policy bears: [`Error::GaveUp`].
    /// - The service refused: [`Error::Request`].
    pub async fn wait(self) -> Result<RunReport, Error> {
        let pacer = self.core.pacer(self.policy);
        Watch::new(self, pacer).end().await
    }

    /// Everything that happens, as a stream; the last item is
    /// [`Finished`](crate::Event::Finished), or the error that ended the watch.
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
    /// use checksum_api_ext::{Event, TryStreamExt};
    ///
    /// let run = checksum.run_grep("checkout").start().await?;
    /// let mut events = run.events();
    /// let mut told = Vec::new();
    /// while let Some(event) = events.try_next().await? {
    ///     match event {
    ///         Event::Changed(change) => told.push(change.status.state().to_string()),
    ///         Event::Finished(report) => told.push(format!("ended: {}", report.outcome())),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(told, ["queued", "running", "passed", "ended: passed"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> Pin<Box<dyn Stream<Item = Result<RunEvent, Error>> + Send>> {
        Box::pin(Watch::new(self.clone(), self.core.pacer(self.policy)).stream())
    }

    /// Looks at the run by its job name if it has one, otherwise by its test run id. The end that the
    /// documented route shows is confirmed.
    async fn look(&self, retry: Retry) -> Result<RunStatus, Error> {
        let status = self.look_unconfirmed(retry).await?;
        Ok(self.confirmed(status).await)
    }

    async fn look_unconfirmed(&self, retry: Retry) -> Result<RunStatus, Error> {
        let mut status = match &self.handle.identity {
            Identity::TestRunId { test_run_id } => self.look_by_id(test_run_id, retry).await?,
            Identity::JobName { job_name } => self.look_by_name(job_name, retry).await?,
            Identity::Both {
                job_name,
                test_run_id,
            } => match self.look_by_name(job_name, retry).await {
                Err(error) if error.is_not_found() && !self.handle.is_pinned => {
                    let looked = self.look_by_id(test_run_id, retry).await;
                    looked.map_err(|_| error)?
                }
                looked => looked?,
            },
        };
        status.allows_no_tests = self.core.allows_no_tests;
        Ok(status)
    }

    /// Looks by the documented route that the handle prefers, and by the other one where that does
    /// not know the run.
    async fn look_by_name(&self, job_name: &JobName, retry: Retry) -> Result<RunStatus, Error> {
        let preferred = self.handle.api_version.unwrap_or(ApiVersion::V2);
        match self.look_by(preferred, job_name, retry).await {
            Err(error) if error.is_not_found() && !self.handle.is_pinned => {
                match self.look_by(preferred.other(), job_name, retry).await {
                    // The other route was worth a try; what the run's own said stands.
                    Err(other) if other.is_not_found() => Err(error),
                    looked => looked,
                }
            }
            looked => looked,
        }
    }

    async fn look_by(
        &self,
        version: ApiVersion,
        job_name: &JobName,
        retry: Retry,
    ) -> Result<RunStatus, Error> {
        let caller = &self.core;
        let api = self.core.api();
        let v1 = || api.get_run_status().job_name(job_name).execute();
        let v2 = || api.get_run_status_v2().job_name(job_name).execute();
        let polled = match version {
            ApiVersion::V1 => caller.read(retry, v1).await.map(Into::into),
            ApiVersion::V2 => caller.read(retry, v2).await.map(Into::into),
        };
        polled.map_err(Error::of_started_work)
    }

    /// Looks by the observed route. Without a readable `isTerminal` its status misleads.
    async fn look_by_id(&self, id: &TestRunId, retry: Retry) -> Result<RunStatus, Error> {
        let api = self.core.api();
        let by_id = || api.get_run_status_by_run_id().run_id(id).execute();
        let answer = self.core.read(retry, by_id).await;
        let answer = answer.map_err(Error::of_started_work)?;
        let shown = serde_json::to_value(&answer).unwrap_or_default();
        let status = RunStatus::by_run_id(answer, id.clone());
        match status.is_terminal {
            Some(_) => Ok(status),
            None => {
                let operation = OperationId::GetRunStatusByRunId;
                let missing = "no `isTerminal` that can be read";
                let error = Error::unexpected_response(operation, missing, shown);
                Err(error.without_key(api).of_started_work())
            }
        }
    }

    /// Lets the observed route decide whether a run that was started with a job name and a test run
    /// id has ended, and whether it passed: the plain state misleads for empty selections and for
    /// sharded runs. The state stands where the route is not there or says nothing that can be read.
    async fn confirmed(&self, mut status: RunStatus) -> RunStatus {
        let Identity::Both { test_run_id, .. } = &self.handle.identity else {
            return status;
        };
        if !status.is_terminal() || status.is_judged {
            return status;
        }
        status
            .test_run_id
            .get_or_insert_with(|| test_run_id.clone());
        if self.handle.is_pinned {
            return status;
        }
        let is_success = status.final_outcome().is_success();
        let (retry, time_limit) = match is_success {
            true => (Retry::ByPolicy, self.policy.confirmation_timeout),
            // Nothing can make it a pass: only the reason is of interest.
            false => (Retry::Never, self.policy.failure_reason_timeout),
        };
        match timeout(time_limit, self.look_by_id(test_run_id, retry)).await {
            Ok(Ok(judged)) => status.confirm(judged),
            Ok(Err(error)) if error.is_not_found() => {
                tracing::debug!(target: TARGET, %error, "the end is not confirmed");
            }
            Ok(Err(error)) => {
                tracing::warn!(target: TARGET, %error, "the end is not confirmed");
                status.is_unconfirmed = error.is_transient() || error.raw().is_none();
            }
            Err(_) => {
                tracing::warn!(target: TARGET, ?time_limit, "the end is not confirmed in time");
                status.is_unconfirmed = true;
            }
        }
        status
    }
}

impl IntoFuture for Run {
    type Output = Result<RunReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

impl Pollable for Run {
    type Status = RunStatus;
    type Change = RunChange;
    type End = RunReport;

    fn name(&self) -> String {
        self.handle.to_string()
    }

    async fn look(&mut self) -> Result<RunStatus, Error> {
        let status = Run::look(self, Retry::Never).await?;
        if let Some(version) = status.api_version() {
            self.handle.api_version = Some(version);
        }
        Ok(status)
    }

    fn ended(status: &RunStatus) -> Ended {
        status.ended()
    }

    fn state(status: &RunStatus) -> String {
        status.state().to_string()
    }

    fn changes(previous: Option<&RunStatus>, current: &RunStatus) -> Vec<RunChange> {
        let is_same = previous.is_some_and(|previous| {
            previous.state() == current.state() && previous.counts() == current.counts()
        });
        if is_same {
            return Vec::new();
        }
        vec![RunChange {
            previous: previous.map(|status| status.state().clone()),
            status: current.clone(),
        }]
    }

    /// A v1 answer does not name the test run, which healing and results need. v2 is asked once; a
    /// refusal only means that the id stays unknown.
    async fn end(&mut self, mut status: RunStatus, deadline: Option<Instant>) -> RunReport {
        let is_v1 = status.api_version() == Some(ApiVersion::V1);
        if let Some(job_name) = self.handle.job_name()
            && status.test_run_id().is_none()
            && is_v1
            && !self.handle.is_pinned
        {
            let asked = self.look_by(ApiVersion::V2, job_name, Retry::Never);
            let answer = match deadline {
                None => asked.await.ok(),
                Some(deadline) => timeout_at(deadline, asked).await.ok().and_then(Result::ok),
            };
            status.test_run_id = answer.and_then(|answer| answer.test_run_id);
        }
        RunReport::new(&self.core, self.job_name().cloned(), status)
    }

    fn started_at(&self) -> Option<SystemTime> {
        self.handle.started_at
    }
}
