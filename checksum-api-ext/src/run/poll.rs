//! How a run is polled: which status route is used, and how the end is confirmed.

use std::time::SystemTime;

use checksum_api::OperationId;
use checksum_api::types::{JobName, TestRunId};
use tokio::time::{Instant, timeout, timeout_at};

use super::handle::{ApiVersion, Identity, RunHandle};
use super::known_version::KnownVersion;
use super::report::RunReport;
use super::status::RunStatus;
use super::{PolledRun, Run};
use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::{PollPolicy, Pollable, Status, Terminal};
use crate::telemetry::TARGET;

impl PolledRun {
    pub(crate) fn new(core: &Core, handle: RunHandle) -> Self {
        Self {
            core: core.clone(),
            known_version: KnownVersion::new(&handle),
            handle,
        }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn handle(&self) -> &RunHandle {
        &self.handle
    }

    /// Polls the run, and confirms a status that seems terminal by the test run id, if that is known.
    pub(super) async fn poll(&self, policy: &PollPolicy) -> Result<Box<RunStatus>, Error> {
        let status = self.poll_unconfirmed(Retry::ByPolicy).await?;
        Ok(self.confirm(status, policy, None).await)
    }

    /// Polls the run by its job name if it has one, otherwise by its test run id.
    /// The status is boxed, because it is large and passes through several futures.
    pub(crate) async fn poll_unconfirmed(&self, retry: Retry) -> Result<Box<RunStatus>, Error> {
        let mut status = match &self.handle.identity {
            Identity::TestRunId { test_run_id } => self.poll_by_id(test_run_id, retry).await?,
            Identity::JobName { job_name } => self.poll_by_name(job_name, retry).await?,
            Identity::Both {
                job_name,
                test_run_id,
            } => match self.poll_by_name(job_name, retry).await {
                Err(error) if error.is_not_found() && !self.handle.pinned => {
                    let polled = self.poll_by_id(test_run_id, retry).await;
                    polled.map_err(|_| error)?
                }
                polled => polled?,
            },
        };
        status.allows_no_tests = self.core.allows_no_tests;
        Ok(status)
    }

    /// Polls the documented route that responded last, and the other one if that does not know the
    /// run.
    async fn poll_by_name(
        &self,
        job_name: &JobName,
        retry: Retry,
    ) -> Result<Box<RunStatus>, Error> {
        let preferred = self.known_version.get();
        let error = match self.poll_version(preferred, job_name, retry).await {
            Err(error) if error.is_not_found() && !self.handle.pinned => error,
            polled => return polled,
        };
        let other = preferred.other();
        match self.poll_version(other, job_name, retry).await {
            // The error of the preferred route is the one to report.
            Err(other) if other.is_not_found() => Err(error),
            Err(other) => Err(other),
            Ok(status) => {
                self.known_version.set(other);
                Ok(status)
            }
        }
    }

    async fn poll_version(
        &self,
        version: ApiVersion,
        job_name: &JobName,
        retry: Retry,
    ) -> Result<Box<RunStatus>, Error> {
        let api = self.core.api();
        let v1 = || api.get_run_status().job_name(job_name).execute();
        let v2 = || api.get_run_status_v2().job_name(job_name).execute();
        let polled = match version {
            ApiVersion::V1 => self
                .core
                .read(retry, v1)
                .await
                .map(|v1| Box::new(v1.into())),
            ApiVersion::V2 => self
                .core
                .read(retry, v2)
                .await
                .map(|v2| Box::new(v2.into())),
        };
        polled.map_err(|error| self.poll_error(error))
    }

    /// Polls the observed route. Without a readable `isTerminal` its status misleads.
    async fn poll_by_id(&self, id: &TestRunId, retry: Retry) -> Result<Box<RunStatus>, Error> {
        let api = self.core.api();
        let request = || api.get_run_status_by_run_id().run_id(id);
        let by_id = || request().execute_with_response();
        let polled = self.core.read(retry, by_id).await;
        let (polled, response) = polled.map_err(|error| self.poll_error(error))?;
        let shown = serde_json::to_value(&polled).unwrap_or_default();
        let status = Box::new(RunStatus::by_run_id(polled, id.clone()));
        match status.is_terminal {
            Some(_) => Ok(status),
            None => {
                let operation = OperationId::GetRunStatusByRunId;
                let missing = "no `isTerminal` that can be read";
                let error = Error::unexpected_response(operation, missing, shown);
                Err(self.poll_error(error.of_response(api, &response)))
            }
        }
    }

    fn poll_error(&self, error: Error) -> Error {
        error.of_poll(self.handle.to_string(), self.handle.started_at().is_some())
    }

    /// Lets the observed route decide whether a run that seems done is done, and whether it passed:
    /// the plain state misleads for empty selections and for sharded runs. The state is kept if the
    /// test run id is not known, the route does not know the run, or its response cannot be read.
    async fn confirm(
        &self,
        mut status: Box<RunStatus>,
        policy: &PollPolicy,
        deadline: Option<Instant>,
    ) -> Box<RunStatus> {
        if !status.is_terminal() || status.is_judged {
            return status;
        }
        let known = self.handle.test_run_id().or(status.test_run_id());
        let Some(test_run_id) = known.cloned() else {
            return status;
        };
        status.test_run_id = Some(test_run_id.clone());
        if self.handle.pinned {
            return status;
        }
        let (retry, max) = match status.final_outcome().is_success() {
            true => (Retry::ByPolicy, policy.confirmation_timeout),
            // The run is not a pass in any case. Only the reason is still missing.
            false => (Retry::Never, policy.failure_reason_timeout),
        };
        // Counts towards the budget too: after an outage, many runs end at once.
        if let Retry::ByPolicy = retry
            && !self.core.acquire_until(deadline).await
        {
            status.is_unconfirmed = true;
            return status;
        }
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let time_limit = left.map_or(max, |left| left.min(max));
        match timeout(time_limit, self.poll_by_id(&test_run_id, retry)).await {
            Ok(Ok(judged)) => status.confirm(*judged),
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

    /// Returns the test run id of a run for which v1 responded, since v1 does not return the id. v2
    /// is polled once; without a response the id stays unknown.
    async fn find_test_run_id(&self, deadline: Option<Instant>) -> Option<TestRunId> {
        let polled = self.poll_version(ApiVersion::V2, self.handle.job_name()?, Retry::Never);
        let polled = match deadline {
            None => polled.await,
            Some(deadline) => timeout_at(deadline, polled).await.ok()?,
        };
        polled.ok()?.test_run_id
    }

    /// A v1 response does not have the test run id, which results and healing need. v2 is polled
    /// for it once, when the run is done. The end is confirmed in what is left until the deadline: a
    /// status that came before it counts.
    pub(crate) async fn complete(
        &self,
        mut status: Box<RunStatus>,
        is_done: bool,
        policy: &PollPolicy,
        deadline: Option<Instant>,
    ) -> Box<RunStatus> {
        let is_v1 = status.api_version() == Some(ApiVersion::V1);
        let is_known = self.handle.test_run_id().is_some() || status.test_run_id().is_some();
        if is_done && is_v1 && !is_known && !self.handle.pinned {
            status.test_run_id = self.find_test_run_id(deadline).await;
        }
        self.confirm(status, policy, deadline).await
    }

    pub(crate) fn report(&self, status: RunStatus) -> RunReport {
        RunReport::new(&self.core, self.handle.job_name().cloned(), status)
    }
}

impl Pollable for Run {
    type Status = RunStatus;
    type Report = RunReport;

    fn describe(&self) -> String {
        self.polled.handle.describe()
    }

    fn key(&self) -> String {
        self.polled.handle.to_string()
    }

    fn started_at(&self) -> Option<SystemTime> {
        self.polled.handle.started_at()
    }

    async fn poll(&self) -> Result<RunStatus, Error> {
        Ok(*self.polled.poll_unconfirmed(Retry::Never).await?)
    }

    async fn complete(
        &self,
        status: RunStatus,
        is_done: bool,
        deadline: Option<Instant>,
    ) -> RunStatus {
        let completing = self
            .polled
            .complete(Box::new(status), is_done, &self.policy, deadline);
        *completing.await
    }

    fn report(&self, status: RunStatus) -> RunReport {
        self.polled.report(status)
    }

    fn outcome(report: &RunReport) -> String {
        report.outcome().to_string()
    }
}

impl Status for RunStatus {
    type Kept = Self;

    fn keep(self) -> Self {
        self
    }

    fn restore(kept: Self) -> Self {
        kept
    }

    fn state(&self) -> &str {
        self.state.as_str()
    }

    fn terminal(&self) -> Terminal {
        self.terminal()
    }

    fn differs_from(&self, previous: &Self) -> bool {
        self.state() != previous.state() || self.counts() != previous.counts()
    }
}
