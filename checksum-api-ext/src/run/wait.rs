//! How a run is waited for.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use checksum_api::Meaning;

use super::Run;
use super::outcome::Outcome;
use super::report::RunReport;
use super::status::RunStatus;
use crate::error::Error;
use crate::poll::{Events, PollPolicy, Pollable, Poller, Terminal, until_done};
use crate::telemetry::TARGET;

impl Run {
    /// Sets the policy for waiting. Default: the client's.
    pub fn with_poll_policy(mut self, policy: PollPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Waits until the run is done. Awaiting the run itself does the same.
    ///
    /// Dropping the wait stops polling and nothing else.
    ///
    /// # Errors
    ///
    /// - [`DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded): the policy's deadline passed. The
    ///   run goes on.
    /// - [`PollingFailed`](crate::ErrorKind::PollingFailed): polling failed for longer than the
    ///   policy's error timeout. The outcome is unknown.
    /// - The service rejected a poll, such as with 401, 403 or 404.
    pub async fn wait(self) -> Result<RunReport, Error> {
        let policy = self.polled.core.applied(self.policy);
        until_done(self, policy).await
    }

    /// Returns a stream of events until the run is done. The last item is
    /// [`Finished`](crate::Event::Finished), or the error that ended the wait.
    ///
    /// Each stream polls on its own. The run and its clones share what a stream learns, such as the
    /// API version that responds.
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
    /// use checksum_api_ext::Event;
    ///
    /// let run = checksum.run_grep("checkout").start().await?;
    /// let mut events = run.events();
    /// let mut lines = Vec::new();
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         Event::Changed { current, .. } => lines.push(current.state().to_string()),
    ///         Event::Finished(report) => lines.push(format!("outcome: {}", report.outcome())),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(lines, ["queued", "running", "passed", "outcome: passed"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> Events<RunStatus, RunReport> {
        let policy = self.polled.core.applied(self.policy);
        Events::new(Poller::of_one(self.clone(), policy))
    }

    /// Waits until the run is done and, if it failed and healing was requested, up to `within` longer
    /// for its state to become `healed`.
    ///
    /// The API does not say which batch [`StartRun::auto_heal`](crate::StartRun::auto_heal) has started, nor that it has.
    /// The only sign is the run's state, which may change from `failed` to `healed`; the service's
    /// description lists that state and does not say when it comes. So `failed` means *not healed
    /// within that time*, and not that healing failed or is done. To follow healing itself, start it
    /// with [`RunReport::heal`].
    ///
    /// Returns at once for a run that did not fail, or that was started without healing. If the run
    /// was resumed by job name, this assumes that healing may have been requested.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().healed());
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// use std::time::Duration;
    /// use checksum_api_ext::HealOptions;
    ///
    /// let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?);
    /// let run = checksum.run_suite().auto_heal(options).start().await?;
    /// let report = run.wait_healed(Duration::from_secs(15 * 60)).await?;
    /// assert_eq!(report.outcome().to_string(), "healed");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait), whose deadline applies to the first verdict alone. After that
    /// verdict there is no error: if healing cannot be polled, the reason is logged with `tracing`,
    /// and the report has the first verdict.
    pub async fn wait_healed(self, within: Duration) -> Result<RunReport, Error> {
        let report = self.clone().wait().await?;
        // A pass that only the verdict turned into a failure is not healed.
        let has_failed = report.state().meaning() == Some(Meaning::Failed);
        if !has_failed || self.polled.handle.auto_heal == Some(false) {
            return Ok(report);
        }
        let policy = self.polled.core.applied(self.policy.deadline(within));
        match until_done(Healing(self), policy).await {
            Ok(healed) => Ok(healed),
            Err(error) => {
                if !error.is_deadline_exceeded() {
                    tracing::warn!(target: TARGET, %error, "polling for `healed` failed");
                }
                Ok(report)
            }
        }
    }
}

impl IntoFuture for Run {
    type Output = Result<RunReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

/// A run that has failed and may be healed.
struct Healing(Run);

impl Pollable for Healing {
    type Status = RunStatus;
    type Report = RunReport;

    fn describe(&self) -> String {
        format!("healing of {}", self.0.describe())
    }

    fn key(&self) -> String {
        self.0.key()
    }

    fn started_at(&self) -> Option<SystemTime> {
        None
    }

    async fn poll(&self) -> Result<RunStatus, Error> {
        Pollable::poll(&self.0).await
    }

    /// A failed run does not count as done here, since it may run again before it is healed. So its end
    /// is not confirmed.
    fn terminal(&self, status: &RunStatus) -> Terminal {
        match status.outcome() {
            Some(Outcome::Failed) => Terminal::No,
            _ => status.terminal(),
        }
    }

    async fn complete(
        &self,
        status: RunStatus,
        is_done: bool,
        deadline: Option<tokio::time::Instant>,
    ) -> RunStatus {
        self.0.complete(status, is_done, deadline).await
    }

    fn report(&self, status: RunStatus) -> RunReport {
        self.0.report(status)
    }

    fn outcome(report: &RunReport) -> String {
        Run::outcome(report)
    }
}
