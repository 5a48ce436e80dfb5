//! `checksum wait`: waits for work that was started earlier, and exits with its result.

use std::collections::HashSet;

use checksum_api_ext::{Checksum, Handle, RunHandle};

use crate::args::{ArtifactsDirectory, Awaited, ReportFile, Wait};
use crate::ci::Ci;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Message, NamedResult, WorkResult};
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::reports::{MAX_FETCH, Reports, Subject};
use crate::signal::until_signal;
use crate::wait::handle_file::HandleFile;
use crate::wait::plan::nothing_to_run;
use crate::wait::several::{End, Several};
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
    let checksum = client(arguments)?;
    let work = Work::resume(&checksum, handle.clone());
    ci.outputs(&work.outputs());
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

/// Returns the handle that the arguments name; `None` if there was nothing to start.
pub(super) fn handle(awaited: Awaited) -> Result<Option<Handle>, CliError> {
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
    let (handles, unnamed) = works(arguments)?;
    if handles.is_empty() {
        let codes: Vec<ExitCode> = unnamed.iter().map(ExitCode::from).collect();
        let worst = ExitCode::worst(&codes);
        let mut unnamed = unnamed.into_iter();
        return match unnamed.find(|error| ExitCode::from(error) == worst) {
            Some(error) => Err(error),
            None => Ok(nothing_to_run(output)),
        };
    }
    let files = files(arguments, &handles)?;
    let ci = Ci::detect().of_several();
    let reports: Vec<Reports<'_>> = files
        .iter()
        .map(|(files, artifacts)| {
            let reports = Reports::prepare(files).with_artifacts(artifacts.as_ref(), quiet);
            reports.with_ci(&ci)
        })
        .collect();
    let checksum = client(arguments)?;
    let mut reporter = Reporter::new(quiet, output.is_text());
    for error in &unnamed {
        output.error_event(error);
        reporter.warning(&one_line(&format!("error: {error}")));
    }
    let strict = arguments.strict;
    let ends = Several::wait(&checksum, &handles, strict, &mut reporter, output).await;
    let mut codes: Vec<ExitCode> = unnamed.iter().map(ExitCode::from).collect();
    let mut runs = Vec::new();
    let mut fetch_time = MAX_FETCH;
    for ((handle, reports), end) in handles.iter().zip(reports).zip(ends) {
        let (code, result) = match end {
            End::Run(code, run) => {
                let finished = reports.finish_run(code, *run, strict, output, &mut fetch_time);
                let (code, result) = finished.await;
                (code, WorkResult::Run(result))
            }
            End::Batch(code, status, batch) => {
                let ended = Ok((code, Subject::Batch(status)));
                let ended = reports.finish(ended, strict, output).await;
                (ended.unwrap_or(code), WorkResult::Batch(batch))
            }
            End::Error(error) => {
                let result = WorkResult::error(&error);
                let ended = reports.finish(Err(error), strict, output).await;
                (ended.unwrap_or_else(|error| (&error).into()), result)
            }
        };
        codes.push(code);
        runs.push(NamedResult::new(handle, result));
    }
    let code = ExitCode::worst(&codes);
    output.data(&Message::Runs {
        runs: &runs,
        unnamed: &unnamed.iter().map(WorkResult::error).collect::<Vec<_>>(),
        exit_code: code as u8,
    });
    Ok(code)
}

/// Returns the handles of the arguments and of the file, each work once, and the starts without a name.
fn works(arguments: &Wait) -> Result<(Vec<Handle>, Vec<CliError>), CliError> {
    let names = arguments.awaited.job.iter().chain(&arguments.further);
    let mut named: Vec<Handle> = names.cloned().map(Handle::from).collect();
    let mut unnamed = Vec::new();
    if let Some(path) = &arguments.from {
        if arguments.connection.api_key_stdin && path.as_os_str() == "-" {
            return Err(CliError::StdinTwice);
        }
        let (handles, errors) = work_list::read(path)?;
        named.extend(handles);
        unnamed = errors;
    }
    let mut known = HashSet::new();
    named.retain(|handle| {
        let is_new = handle.keys().all(|key| !known.contains(&key));
        known.extend(handle.keys());
        is_new
    });
    Ok((named, unnamed))
}

/// The reports and the directory for attachments of a run.
type Files = (Vec<ReportFile>, Option<ArtifactsDirectory>);

/// Returns the files of each run.
fn files(arguments: &Wait, handles: &[Handle]) -> Result<Vec<Files>, CliError> {
    let (wanted, artifacts) = (&arguments.report, &arguments.artifacts);
    let mut paths = HashSet::new();
    let mut files = Vec::new();
    for handle in handles {
        let name = handle.id();
        if !matches!(handle, Handle::Run(_)) && (!wanted.is_empty() || artifacts.is_some()) {
            return Err(CliError::ReportOfBatch);
        }
        let reports: Option<Vec<ReportFile>> =
            wanted.iter().map(|file| file.of_run(name)).collect();
        let reports = reports.ok_or(CliError::ReportOfSeveral("--report"))?;
        let directory = artifacts.as_ref().map(|directory| directory.of_run(name));
        let directory = match directory {
            Some(None) => return Err(CliError::ReportOfSeveral("--artifacts")),
            directory => directory.flatten(),
        };
        let directories = directory.iter().map(|directory| &directory.path);
        for path in reports.iter().map(|file| &file.path).chain(directories) {
            if !paths.insert(path.clone()) {
                return Err(CliError::SameReport(path.clone()));
            }
        }
        files.push((reports, directory));
    }
    Ok(files)
}
