use std::time::{Duration, SystemTime};

use checksum_api::Meaning;
use tokio::time::Instant;

use super::{Outcome, Run, RunChange, RunReport, RunStatus};
use crate::call::Effort;
use crate::poll::{Ended, Pollable, Watch};
use crate::{Error, TARGET};

impl Run {
    /// Waits to the end, and where the run failed and healing was asked for, looks for
    /// `healed` in its place for so much longer.
    ///
    /// What can be known: the API does not say which batch [`AutoHeal`](crate::AutoHeal) has
    /// started, nor that it has. The one sign is the run's own state, which may turn from `failed`
    /// to `healed`; the description lists that state and not when it comes. So a report of
    /// `failed` means *not healed within that time*. It does not mean that healing failed, or
    /// that it has ended. A batch that tells more is one that the caller has started:
    /// [`RunReport::heal`].
    ///
    /// No time is spent on a run that did not fail, or that was started without healing. For a
    /// run that was taken up by its job name, healing is taken for possible.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().healed());
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// use std::time::Duration;
    /// use checksum_api_ext::AutoHeal;
    ///
    /// let heal = AutoHeal::pull_request("acme-co/my-tests".parse()?);
    /// let run = checksum.run_suite().auto_heal(heal).start().await?;
    /// let report = run.wait_healed(Duration::from_secs(15 * 60)).await?;
    /// assert_eq!(report.outcome().to_string(), "healed");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait), whose deadline is that of the first verdict alone. After that
    /// verdict there is none: where it cannot be seen whether the run is healed, `tracing` is told
    /// why, and the verdict stands.
    pub async fn wait_healed(self, within: Duration) -> Result<RunReport, Error> {
        let report = self.clone().wait().await?;
        // A verdict that takes a pass away is not healed.
        let has_failed = report.state().meaning() == Some(Meaning::Failed);
        if !has_failed || self.handle.is_healing == Some(false) {
            return Ok(report);
        }
        let pacer = self.client.pacer(self.policy.deadline(within));
        match Watch::new(Healing(self), pacer).end().await {
            Ok(healed) => Ok(healed),
            Err(error) => {
                if !error.is_timed_out() {
                    tracing::warn!(target: TARGET, %error, "cannot see whether the run is healed");
                }
                Ok(report)
            }
        }
    }
}

/// A run that has failed and may be healed.
struct Healing(Run);

impl Pollable for Healing {
    type Status = RunStatus;
    type Change = RunChange;
    type End = RunReport;

    fn name(&self) -> String {
        format!("healing of {}", Pollable::name(&self.0))
    }

    async fn look(&mut self) -> Result<RunStatus, Error> {
        // The plain state tells when it is no longer failed.
        let status = self.0.look_unconfirmed(Effort::Once).await?;
        match status.outcome() {
            Some(Outcome::Failed) => Ok(status),
            _ => Ok(self.0.confirmed(status).await),
        }
    }

    fn ended(status: &RunStatus) -> Ended {
        // It may be running again in between.
        match status.outcome() {
            Some(Outcome::Failed) => Ended::No,
            _ => status.ended(),
        }
    }

    fn state(status: &RunStatus) -> String {
        status.state().to_string()
    }

    fn changes(previous: Option<&RunStatus>, current: &RunStatus) -> Vec<RunChange> {
        <Run as Pollable>::changes(previous, current)
    }

    async fn end(&mut self, status: RunStatus, deadline: Option<Instant>) -> RunReport {
        Pollable::end(&mut self.0, status, deadline).await
    }

    fn started_at(&self) -> Option<SystemTime> {
        None
    }
}
