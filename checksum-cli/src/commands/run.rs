use checksum_api_ext::{AutoHeal, Checksum, Grep, Healable, Run, StartRun};
use tokio::time::timeout;

use super::heal::note_bare_repository;
use crate::args::{self, GrepOptions, Healing, RunOptions, Selection};
use crate::changed_files::changed_files;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::wait::start::{Prepared, dispatch};
use crate::wait::work::Judged;

pub(super) async fn execute(
    arguments: args::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let options = options(&arguments.selection);
    note_bare_repository(options.healing.repo.as_ref(), quiet);
    let allows_no_tests = options.allow_no_tests;
    // Read before signals are handled: to read can take forever.
    let files = match &arguments.selection {
        Selection::Affected { changed, .. } => {
            let key_is_on_stdin = options.starting.connection.api_key_stdin;
            Some(changed_files(changed, key_is_on_stdin)?)
        }
        _ => None,
    };
    let looks_up = files.is_some();
    let prepare = async |checksum: &Checksum| {
        prepare_selection(checksum, &arguments.selection, files.unwrap_or_default()).await
    };
    let starting = &options.starting;
    dispatch(starting, looks_up, allows_no_tests, quiet, output, prepare).await
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

/// Prepares the run; `None` where there is nothing to run.
async fn prepare_selection(
    checksum: &Checksum,
    selection: &Selection,
    files: Vec<String>,
) -> Result<Option<Prepared<Judged<Run>>>, CliError> {
    let options = options(selection);
    Ok(Some(match selection {
        Selection::Suite { suite, .. } => {
            prepare(checksum.run_suite().suites(suite.iter().cloned()), options)?
        }
        Selection::Collection { id, .. } => prepare(checksum.run_collection(id.clone()), options)?,
        Selection::Tests { ids, .. } => prepare(checksum.run_tests(ids.iter().cloned()), options)?,
        Selection::Grep { pattern, grep, .. } => {
            prepare(with_options(checksum.run_grep(pattern), grep)?, options)?
        }
        Selection::Affected { grep, .. } => {
            // What is wrong with the options is said before anything is sent.
            drop(prepare(
                with_options(checksum.run_grep("any"), grep)?,
                options,
            )?);
            let find = checksum.run_affected(files);
            let found = match options.starting.waiting.timeout {
                None => find.await,
                Some(after) => timeout(after, find)
                    .await
                    .map_err(|_| CliError::AffectedTimedOut { after })?,
            };
            match found.map_err(CliError::Start)? {
                None => return Ok(None),
                Some(run) => prepare(with_options(run, grep)?, options)?,
            }
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
    for (name, value) in options.variables.pairs()? {
        run = run.env(name, value);
    }
    Ok(run)
}

fn prepare<S: Healable + 'static>(
    mut run: StartRun<S>,
    options: &RunOptions,
) -> Result<Prepared<Judged<Run>>, CliError> {
    if let Some(heal) = auto_heal(&options.healing)? {
        run = run.auto_heal(heal);
    }
    for (name, value) in options.starting.fields.pairs()? {
        run = run.extra_field(name, value);
    }
    let is_strict = options.strict;
    Ok(Prepared::new(run.intent()?, async move {
        let work = run.start().await?;
        Ok(Judged { work, is_strict })
    }))
}

fn auto_heal(healing: &Healing) -> Result<Option<AutoHeal>, CliError> {
    if !healing.auto_heal {
        return Ok(None);
    }
    let mut heal = match (&healing.repo, healing.no_create_pr) {
        (Some(repo), false) => AutoHeal::pull_request(repo.clone()),
        (None, false) => return Err(CliError::NoRepository),
        (Some(repo), true) => AutoHeal::without_pull_request().repo(repo.clone()),
        (None, true) => AutoHeal::without_pull_request(),
    };
    if let Some(branch) = &healing.heal_branch {
        heal = heal.branch(branch);
    }
    if let Some(number) = healing.pr {
        heal = heal.pr(number);
    }
    for (name, value) in healing.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    Ok(Some(heal))
}
