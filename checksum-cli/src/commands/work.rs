use checksum_api_ext::{GenerationBatch, Handle, HealBatch, Run};

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

    /// Waits for its end, and says what it has come to.
    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure>;
}

/// A run, and how its pass is judged.
pub(super) struct JudgedRun {
    pub(super) run: Run,
    pub(super) is_strict: bool,
}

impl Work for JudgedRun {
    fn handle(&self) -> Handle {
        Handle::from(&self.run)
    }

    fn started(&self) -> Message<'_> {
        run_started(&self.run)
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let report = follow_run(&self.run, display, output).await?;
        Ok(conclude_run(&report, self.is_strict, display, output))
    }
}

impl Work for HealBatch {
    fn handle(&self) -> Handle {
        Handle::from(self)
    }

    fn started(&self) -> Message<'_> {
        Message::HealStarted {
            batch_id: self.id(),
            handle: self.handle(),
            session_ids: self.session_ids(),
            test_ids: self.test_ids(),
            failure_count: self.failure_count(),
        }
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let report = follow_batch(self.events(), self.handle(), display, output).await?;
        Ok(conclude_batch(&report, output))
    }
}

impl Work for GenerationBatch {
    fn handle(&self) -> Handle {
        Handle::from(self)
    }

    fn started(&self) -> Message<'_> {
        Message::GenerationStarted {
            batch_id: self.id(),
            handle: self.handle(),
            session_id: self.session_id(),
            session_url: self.session_url(),
        }
    }

    async fn conclude(
        &self,
        display: &mut Display,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        if let Some(url) = self.session_url() {
            display.note(&format!("see {}", one_line(url)));
        }
        let report = follow_batch(self.events(), self.handle(), display, output).await?;
        Ok(conclude_batch(&report, output))
    }
}

/// What programs are told of a run that the service has accepted.
pub(super) fn run_started(run: &Run) -> Message<'_> {
    Message::RunStarted {
        job_name: run.job_name(),
        handle: Handle::from(run),
    }
}
