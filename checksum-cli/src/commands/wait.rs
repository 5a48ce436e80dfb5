//! `checksum wait`: waits for work that was started earlier, and exits with its result.

use std::collections::HashSet;

use checksum_api_ext::{Checksum, Handle, RunHandle};

use crate::args::{Awaited, ReportFile, Wait};
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::reports::{Reports, Subject};
use crate::signal::until_signal;
use crate::wait::handle_file::HandleFile;
use crate::wait::plan::nothing_to_run;
use crate::wait::several::Several;
use crate::wait::work::Work;
use crate::wait::work_list;

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    if arguments.from.is_some() || !arguments.further.is_empty() {
        return wait_for_several(&arguments, quiet, output).await;
    }
    let reports = Reports::prepare(&arguments.report);
    let ended = wait(&arguments, quiet, output).await;
    reports.finish(ended, arguments.strict).await
}

async fn wait(
    arguments: &Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<(ExitCode, Subject), CliError> {
    let Some(handle) = handle(arguments.awaited.clone())? else {
        return Ok((nothing_to_run(output), Subject::Nothing));
    };
    if !arguments.report.is_empty() && !matches!(handle, Handle::Run(_)) {
        return Err(CliError::ReportOfBatch);
    }
    let checksum = client(arguments)?;
    let work = Work::resume(&checksum, handle.clone());
    let mut reporter = Reporter::new(quiet, output.is_text());
    let result = until_signal(work.wait(arguments.strict, &mut reporter, output)).await;
    result.unwrap_or_else(|signal| {
        let handle = Box::new(handle);
        Err(CliError::InterruptedWait { signal, handle })
    })
}

fn client(arguments: &Wait) -> Result<Checksum, CliError> {
    let policy = arguments.waiting.policy();
    client::waiting_client(&arguments.connection, policy, arguments.allow_no_tests)
}

/// Returns the handle to wait for; `None` if there was nothing to start.
fn handle(awaited: Awaited) -> Result<Option<Handle>, CliError> {
    if let Some(path) = awaited.handle_file {
        let source_name = format!("--handle-file {}", path.display());
        return HandleFile::read(&path)?.handle(source_name);
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

/// Waits for all of the work at once, and returns the worst of the exit codes.
async fn wait_for_several(
    arguments: &Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let handles = handles(arguments)?;
    if handles.is_empty() {
        return Ok(nothing_to_run(output));
    }
    let files = report_files(&arguments.report, &handles)?;
    let checksum = client(arguments)?;
    let mut reports: Vec<Reports<'_>> = files.iter().map(|files| Reports::prepare(files)).collect();
    let mut reporter = Reporter::new(quiet, output.is_text());
    let strict = arguments.strict;
    let ends = Several::wait(&checksum, &handles, strict, &mut reporter, output).await;
    let mut codes = Vec::new();
    for (reports, end) in reports.drain(..).zip(ends) {
        let code = reports.finish(end, strict).await;
        codes.push(code.unwrap_or_else(|error| (&error).into()));
    }
    Ok(ExitCode::worst(&codes))
}

/// Returns the handles of the arguments and of the file, each work once.
fn handles(arguments: &Wait) -> Result<Vec<Handle>, CliError> {
    let names = arguments.awaited.job.iter().chain(&arguments.further);
    let mut named: Vec<Handle> = names.cloned().map(Handle::from).collect();
    if let Some(path) = &arguments.from {
        if arguments.connection.api_key_stdin && path.as_os_str() == "-" {
            return Err(CliError::StdinTwice);
        }
        named.extend(work_list::read(path)?);
    }
    let mut known = HashSet::new();
    named.retain(|handle| {
        let is_new = keys(handle).all(|key| !known.contains(&key));
        known.extend(keys(handle));
        is_new
    });
    Ok(named)
}

/// Returns the key of each id that the handle has.
fn keys(handle: &Handle) -> impl Iterator<Item = String> {
    let test_run_id = match handle {
        Handle::Run(run) => run.test_run_id(),
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => None,
    };
    let test_run = test_run_id.map(|id| format!("test-run:{id}"));
    [handle.to_string()].into_iter().chain(test_run)
}

/// Returns the reports of each run.
fn report_files(
    wanted: &[ReportFile],
    handles: &[Handle],
) -> Result<Vec<Vec<ReportFile>>, CliError> {
    let mut paths = HashSet::new();
    let mut files = Vec::new();
    for handle in handles {
        let mut of_run = Vec::new();
        for wanted in wanted {
            if !matches!(handle, Handle::Run(_)) {
                return Err(CliError::ReportOfBatch);
            }
            let Some(file) = wanted.of_run(handle.id()) else {
                return Err(CliError::ReportOfSeveral(wanted.to_string()));
            };
            if !paths.insert(file.path.clone()) {
                return Err(CliError::SameReport(file.to_string()));
            }
            of_run.push(file);
        }
        files.push(of_run);
    }
    Ok(files)
}
