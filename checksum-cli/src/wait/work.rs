//! Work in the service: a run, a healing or a generation.

use checksum_api_ext::{
    BatchStatus, Checksum, Error, GenerationBatch, Handle, HealBatch, JobName, PollPolicy, Run,
    RunStatus,
};

use crate::error::CliError;
use crate::exit_code::{ExitCode, Verdict};
use crate::json::{BatchResult, Message, RunResult, test_run_url};
use crate::output::colour::Coloured;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::redaction;
use crate::reports::{FinishedRun, Subject};
use crate::wait::follow::{batch_changed, follow, run_changed};

/// Work that was started.
pub(crate) enum Work {
    Run(Run),
    Heal(HealBatch),
    Generation(GenerationBatch),
}

impl Work {
    /// Returns the work of this handle. Sends nothing.
    pub(crate) fn resume(checksum: &Checksum, handle: Handle) -> Self {
        match handle {
            Handle::Run(handle) => Self::Run(checksum.resume_run(handle)),
            Handle::HealBatch(handle) => Self::Heal(checksum.resume_heal_batch(handle)),
            Handle::GenerationBatch(handle) => {
                Self::Generation(checksum.resume_generation_batch(handle))
            }
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        match self {
            Self::Run(run) => run.into(),
            Self::Heal(batch) => batch.into(),
            Self::Generation(batch) => batch.into(),
        }
    }

    pub(crate) fn with_poll_policy(self, policy: PollPolicy) -> Self {
        match self {
            Self::Run(run) => Self::Run(run.with_poll_policy(policy)),
            Self::Heal(batch) => Self::Heal(batch.with_poll_policy(policy)),
            Self::Generation(batch) => Self::Generation(batch.with_poll_policy(policy)),
        }
    }

    /// Returns the message that the service accepted the work.
    pub(crate) fn started(&self) -> Message<'_> {
        let handle = self.handle();
        match self {
            Self::Run(run) => run_started(run),
            Self::Heal(batch) => Message::HealStarted {
                batch_id: batch.id(),
                handle,
                session_ids: batch.session_ids(),
                test_ids: batch.test_ids(),
                failure_count: batch.failure_count(),
            },
            Self::Generation(batch) => Message::GenerationStarted {
                batch_id: batch.id(),
                handle,
                session_id: batch.session_id(),
                session_url: batch.session_url(),
            },
        }
    }

    /// Returns the outputs of a CI step that name the work.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, String)> {
        let values = match self {
            Self::Run(run) => vec![
                ("job-name", run.job_name().map(ToString::to_string)),
                ("test-run-id", run.test_run_id().map(ToString::to_string)),
            ],
            Self::Heal(batch) => vec![("batch-id", Some(batch.id().to_string()))],
            Self::Generation(batch) => vec![
                ("batch-id", Some(batch.id().to_string())),
                ("session-id", batch.session_id().map(ToString::to_string)),
                ("session-url", batch.session_url().map(str::to_owned)),
            ],
        };
        let values = values.into_iter();
        values
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Waits until the work ends, and prints its result; that of a run for people only, since
    /// [`Reports::finish`](crate::reports::Reports::finish) adds to it for programs. Returns also
    /// what there is to report.
    pub(crate) async fn wait(
        &self,
        is_strict: bool,
        reporter: &mut Reporter,
        output: &mut Output,
    ) -> Result<(ExitCode, Subject), CliError> {
        let handle = self.handle();
        let events = match self {
            Self::Run(run) => {
                let report = follow(run.events(), handle, reporter, output, run_changed).await?;
                let (job_name, status) = (report.job_name(), report.status());
                let (code, result) = run_result(job_name, status, is_strict, reporter);
                if output.is_text() {
                    output.page(&Coloured::word(&result.to_string(), result.word()));
                }
                return Ok((code, Subject::Run(Box::new(FinishedRun { report, result }))));
            }
            Self::Heal(batch) => batch.events(),
            Self::Generation(batch) => {
                if let Some(url) = batch.session_url() {
                    reporter.note(&format!("see {}", one_line(url)));
                }
                batch.events()
            }
        };
        let status = follow(events, handle, reporter, output, batch_changed).await?;
        let code = print_batch(&status, is_strict, reporter, output);
        Ok((code, Subject::Batch(Box::new(status))))
    }

    /// Polls once, and prints the status.
    pub(crate) async fn print_status(
        &self,
        is_strict: bool,
        reporter: &Reporter,
        output: &mut Output,
    ) -> Result<ExitCode, Error> {
        let status = match self {
            Self::Run(run) => {
                let status = run.status().await?;
                let job_name = run.job_name();
                return Ok(print_run(job_name, &status, is_strict, reporter, output));
            }
            Self::Heal(batch) => batch.status().await?,
            Self::Generation(batch) => batch.status().await?,
        };
        Ok(print_batch(&status, is_strict, reporter, output))
    }
}

pub(crate) fn run_started(run: &Run) -> Message<'_> {
    Message::RunStarted {
        job_name: run.job_name(),
        test_run_id: run.test_run_id(),
        test_run_url: test_run_url(run.test_run_id()),
        handle: run.into(),
    }
}

/// Prints the result of a run, and returns its exit code.
pub(crate) fn print_run(
    job_name: Option<&JobName>,
    status: &RunStatus,
    is_strict: bool,
    reporter: &Reporter,
    output: &mut Output,
) -> ExitCode {
    let (code, result) = run_result(job_name, status, is_strict, reporter);
    let text = Coloured::word(&result.to_string(), result.word());
    output.coloured_result(&text, &Message::Run(&result));
    code
}

/// Prints the remarks on a run, and returns its exit code and result.
pub(super) fn run_result(
    job_name: Option<&JobName>,
    status: &RunStatus,
    is_strict: bool,
    reporter: &Reporter,
) -> (ExitCode, RunResult) {
    if let Some(id) = status.test_run_id() {
        redaction::keep_name(id.as_str());
    }
    let verdict = Verdict::of_run(status, is_strict);
    print_remarks(&verdict, reporter);
    let result = RunResult::new(job_name, status, &verdict);
    (verdict.exit_code, result)
}

fn print_batch(
    status: &BatchStatus,
    is_strict: bool,
    reporter: &Reporter,
    output: &mut Output,
) -> ExitCode {
    let (code, result) = batch_result(status, is_strict, reporter);
    let text = Coloured::word(&result.to_string(), result.word());
    output.coloured_result(&text, &Message::Batch(&result));
    code
}

/// Returns the result of a batch, and prints its remarks.
pub(super) fn batch_result(
    status: &BatchStatus,
    is_strict: bool,
    reporter: &Reporter,
) -> (ExitCode, BatchResult) {
    let verdict = Verdict::of_batch(status, is_strict);
    print_remarks(&verdict, reporter);
    (verdict.exit_code, BatchResult::new(status, &verdict))
}

fn print_remarks(verdict: &Verdict, reporter: &Reporter) {
    for remark in &verdict.remarks {
        let note = format!("note: {remark}");
        match verdict.needs_remarks {
            true => reporter.warning(&note),
            false => reporter.note(&note),
        }
    }
}
