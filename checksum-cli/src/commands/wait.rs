//! `checksum wait`: waits for work that was started earlier, and exits with its result.

use checksum_api_ext::{Handle, RunHandle};

use crate::args::{Awaited, Wait};
use crate::ci::Ci;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::reports::{Reports, Subject};
use crate::signal::until_signal;
use crate::wait::handle_file::{Content, HandleFile};
use crate::wait::plan::nothing_to_run;
use crate::wait::work::Work;

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let reports = Reports::prepare(&arguments.report);
    let ci = Ci::detect();
    let reports = reports.with_artifacts(arguments.artifacts.as_ref(), quiet);
    let reports = reports.with_ci(&ci);
    let ended = wait(&arguments, quiet, output, &ci).await;
    reports.finish(ended, arguments.strict, output).await
}

async fn wait(
    arguments: &Wait,
    quiet: bool,
    output: &mut Output,
    ci: &Ci,
) -> Result<(ExitCode, Subject), CliError> {
    let Some(handle) = handle(arguments.awaited.clone())? else {
        return Ok((nothing_to_run(output), Subject::Nothing));
    };
    let is_of_run = !arguments.report.is_empty() || arguments.artifacts.is_some();
    if is_of_run && !matches!(handle, Handle::Run(_)) {
        return Err(CliError::ReportOfBatch);
    }
    let policy = arguments.waiting.policy();
    let checksum = client::waiting_client(&arguments.connection, policy, arguments.allow_no_tests)?;
    let work = Work::resume(&checksum, handle.clone());
    ci.outputs(&work.outputs());
    let mut reporter = Reporter::new(quiet, output.is_text());
    let result = until_signal(work.wait(arguments.strict, &mut reporter, output)).await;
    result.unwrap_or_else(|signal| {
        let handle = Box::new(handle);
        Err(CliError::InterruptedWait { signal, handle })
    })
}

/// Returns the handle that the arguments name; `None` if there was nothing to start.
pub(super) fn handle(awaited: Awaited) -> Result<Option<Handle>, CliError> {
    if let Some(path) = awaited.handle_file {
        return match HandleFile::read(&path)? {
            Content::Handle(handle) => Ok(Some(handle)),
            Content::Nothing {} => Ok(None),
            Content::Intent(intent) => Err(CliError::MayHaveStarted { path, intent }),
            Content::NotStarted(intent) => Err(CliError::NotStarted { path, intent }),
        };
    }
    let run = RunHandle::known_by(awaited.job, awaited.test_run).map(Handle::Run);
    let named = run
        .or(awaited.heal_batch.map(|id| Handle::HealBatch(id.into())))
        .or(awaited
            .generation_batch
            .map(|id| Handle::GenerationBatch(id.into())));
    match named {
        None => unreachable!("clap requires one of the arguments"),
        named => Ok(named),
    }
}
