use checksum_api_ext::{Checksum, Grep, HealOptions, Run, Selection as Chosen};
use tokio::time::timeout;

use super::heal::{heal_options, note_bare_repository};
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
    let chosen = match selection {
        Selection::Suite { suite, .. } if suite.is_empty() => Chosen::Suite,
        Selection::Suite { suite, .. } => Chosen::Suites(suite.clone()),
        Selection::Collection { id, .. } => Chosen::Collection(id.clone()),
        Selection::Tests { ids, .. } => Chosen::Tests(ids.clone()),
        Selection::Grep { pattern, grep, .. } => with_options(Grep::new(pattern), grep)?.into(),
        Selection::Affected { grep, .. } => {
            // What is wrong with the options is said before anything is sent.
            let any = with_options(Grep::new("any"), grep)?;
            drop(prepare(checksum, any.into(), options)?);
            let find = checksum.affected_tests(files);
            let found = match options.starting.waiting.timeout {
                None => find.await,
                Some(after) => timeout(after, find)
                    .await
                    .map_err(|_| CliError::AffectedTimedOut { after })?,
            };
            match Grep::of_tests(&found.map_err(CliError::Start)?) {
                None => return Ok(None),
                Some(affected) => with_options(affected, grep)?.into(),
            }
        }
    };
    prepare(checksum, chosen, options).map(Some)
}

fn with_options(mut grep: Grep, options: &GrepOptions) -> Result<Grep, CliError> {
    if let Some(branch) = &options.branch {
        grep = grep.branch(branch);
    }
    if let Some(count) = options.shards {
        grep = grep.shards(count);
    }
    Ok(grep.envs(options.variables.pairs()?))
}

fn prepare(
    checksum: &Checksum,
    selection: Chosen,
    options: &RunOptions,
) -> Result<Prepared<Judged<Run>>, CliError> {
    let mut run = checksum.run(selection);
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

fn auto_heal(healing: &Healing) -> Result<Option<HealOptions>, CliError> {
    if !healing.auto_heal {
        return Ok(None);
    }
    let mut heal = heal_options(healing.repo.as_ref(), healing.no_create_pr)?;
    if let Some(branch) = &healing.heal_branch {
        heal = heal.target_branch(branch);
    }
    if let Some(number) = &healing.pr {
        heal = heal.report_to(number.clone());
    }
    for (name, value) in healing.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    Ok(Some(heal))
}
