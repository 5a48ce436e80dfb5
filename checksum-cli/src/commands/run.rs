//! `checksum run`: starts a run, waits for it, and exits with its verdict.

use checksum_api_ext::{AutoHeal, Checksum, Grep, Healable, StartRun};
use tokio::time::timeout;

use super::heal::note_bare_repository;
use crate::args::{self, AutoHealOptions, GrepOptions, RunOptions, Selection};
use crate::changed_files::changed_files;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

pub(super) async fn execute(
    arguments: args::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let selection = &arguments.selection;
    let options = options(selection);
    note_bare_repository(options.auto_heal.repo.as_ref(), quiet);
    // Before signals are handled, because standard input can block forever.
    let files = match selection {
        Selection::Affected { changed, .. } => {
            let key_is_on_stdin = options.starting.connection.api_key_stdin;
            changed_files(changed.base.as_deref(), &changed.files, key_is_on_stdin)?
        }
        _ => Vec::new(),
    };
    let start_options = StartOptions {
        starting: &options.starting,
        is_strict: options.strict,
        allow_no_tests: options.allow_no_tests,
        quiet,
    };
    start(start_options, output, |checksum| {
        plan(checksum, selection, files)
    })
    .await
}

fn options(selection: &Selection) -> &RunOptions {
    match selection {
        Selection::Suite { options, .. }
        | Selection::Collection { options, .. }
        | Selection::Tests { options, .. }
        | Selection::Grep { options, .. }
        | Selection::Affected { options, .. } => options,
    }
}

fn plan<'a>(
    checksum: &Checksum,
    selection: &'a Selection,
    files: Vec<String>,
) -> Result<Plan<'a>, CliError> {
    let options = options(selection);
    Ok(Plan::Send(match selection {
        Selection::Suite { suite, .. } => {
            prepare(checksum.run_suite().suites(suite.iter().cloned()), options)?
        }
        Selection::Collection { id, .. } => prepare(checksum.run_collection(id.clone()), options)?,
        Selection::Tests { ids, .. } => prepare(checksum.run_tests(ids.iter().cloned()), options)?,
        Selection::Grep { pattern, grep, .. } => {
            prepare(with_options(checksum.run_grep(pattern), grep)?, options)?
        }
        Selection::Affected { grep, .. } => {
            // Report invalid options before anything is sent.
            drop(prepare(
                with_options(checksum.run_grep("any"), grep)?,
                options,
            )?);
            let checksum = checksum.clone();
            return Ok(Plan::LookUp(Box::pin(async move {
                let find = checksum.run_affected(files);
                let found = match options.starting.waiting.timeout {
                    None => find.await,
                    Some(after) => timeout(after, find)
                        .await
                        .map_err(|_| CliError::AffectedTimedOut { after })?,
                };
                match found.map_err(CliError::Start)? {
                    None => Ok(None),
                    Some(run) => prepare(with_options(run, grep)?, options).map(Some),
                }
            })));
        }
    }))
}

fn with_options(
    mut run: StartRun<Grep>,
    options: &GrepOptions,
) -> Result<StartRun<Grep>, CliError> {
    if let Some(branch) = &options.branch {
        run = run.branch(branch);
    }
    if let Some(count) = options.shards {
        run = run.shards(count);
    }
    for (name, value) in options.env_overrides.pairs()? {
        run = run.env(name, value);
    }
    Ok(run)
}

fn prepare<S: Healable + 'static>(
    mut run: StartRun<S>,
    options: &RunOptions,
) -> Result<StartRequest, CliError> {
    if let Some(heal) = auto_heal(&options.auto_heal)? {
        run = run.auto_heal(heal);
    }
    for (name, value) in options.starting.fields.pairs()? {
        run = run.extra_field(name, value);
    }
    Ok(StartRequest {
        intent: run.intent()?,
        send: Box::pin(async move { Ok(Work::Run(run.start().await?)) }),
    })
}

fn auto_heal(options: &AutoHealOptions) -> Result<Option<AutoHeal>, CliError> {
    if !options.auto_heal {
        return Ok(None);
    }
    let mut heal = match (&options.repo, options.no_create_pr) {
        (Some(repo), false) => AutoHeal::pull_request(repo.clone()),
        (None, false) => return Err(CliError::NoRepository),
        (Some(repo), true) => AutoHeal::without_pull_request().repo(repo.clone()),
        (None, true) => AutoHeal::without_pull_request(),
    };
    if let Some(branch) = &options.heal_branch {
        heal = heal.branch(branch);
    }
    if let Some(number) = options.pr {
        heal = heal.pr(number);
    }
    for (name, value) in options.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    Ok(Some(heal))
}
