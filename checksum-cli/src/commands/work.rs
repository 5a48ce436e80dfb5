use checksum_api_ext::{GenerationBatch, Handle, HealBatch, PollPolicy, Run};

use super::follow::{conclude_batch, conclude_run, follow_batch, follow_run};
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::{Output, one_line};

/// What goes on in the service once it is started, and comes to an end there.
pub(super) trait Work {
    /// The way back to it.
    fn handle(&self) -> Handle;

    /// What programs are told when the service has accepted it.
    fn started(&self) -> Message<'_>;

    /// Waits in this way.
    fn with_policy(self, policy: PollPolicy) -> Self;

    /// Waits for its end, and says what it has come to.
    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure>;
}

/// Work, and how its pass is judged.
pub(super) struct Judged<W> {
    pub(super) work: W,
    pub(super) is_strict: bool,
}

impl Work for Judged<Run> {
    fn handle(&self) -> Handle {
        Handle::from(&self.work)
    }

    fn started(&self) -> Message<'_> {
        run_started(&self.work)
    }

    fn with_policy(self, policy: PollPolicy) -> Self {
        let work = self.work.poll_policy(policy);
        Self { work, ..self }
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let report = follow_run(&self.work, display, output).await?;
        Ok(conclude_run(&report, self.is_strict, display, output))
    }
}

impl Work for Judged<HealBatch> {
    fn handle(&self) -> Handle {
        Handle::from(&self.work)
    }

    fn started(&self) -> Message<'_> {
        Message::HealStarted {
            batch_id: self.work.id(),
            handle: self.handle(),
            session_ids: self.work.session_ids(),
            test_ids: self.work.test_ids(),
            failure_count: self.work.failure_count(),
        }
    }

    fn with_policy(self, policy: PollPolicy) -> Self {
        let work = self.work.poll_policy(policy);
        Self { work, ..self }
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let report = follow_batch(self.work.events(), self.handle(), display, output).await?;
        Ok(conclude_batch(&report, self.is_strict, display, output))
    }
}

impl Work for Judged<GenerationBatch> {
    fn handle(&self) -> Handle {
        Handle::from(&self.work)
    }

    fn started(&self) -> Message<'_> {
        Message::GenerationStarted {
            batch_id: self.work.id(),
            handle: self.handle(),
            session_id: self.work.session_id(),
            session_url: self.work.session_url(),
        }
    }

    fn with_policy(self, policy: PollPolicy) -> Self {
        let work = self.work.poll_policy(policy);
        Self { work, ..self }
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        if let Some(url) = self.work.session_url() {
            display.note(&format!("see {}", one_line(url)));
        }
        let report = follow_batch(self.work.events(), self.handle(), display, output).await?;
        Ok(conclude_batch(&report, self.is_strict, display, output))
    }
}

/// What programs are told of a run that the service has accepted.
pub(super) fn run_started(run: &Run) -> Message<'_> {
    Message::RunStarted {
        job_name: run.job_name(),
        test_run_id: run.test_run_id(),
        handle: Handle::from(run),
    }
}
