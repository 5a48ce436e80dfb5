//! `checksum run`: starts a run, waits for it, and exits with its verdict.

use checksum_api_ext::{Checksum, Grep, HealOptions, Selection as Chosen};
use tokio::time::timeout;

use super::heal::{heal_options, note_bare_repository};
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
    let chosen = match selection {
        Selection::Suite { suite, .. } if suite.is_empty() => Chosen::Suite,
        Selection::Suite { suite, .. } => Chosen::Suites(suite.clone()),
        Selection::Collection { id, .. } => Chosen::Collection(id.clone()),
        Selection::Tests { ids, .. } => Chosen::Tests(ids.clone()),
        Selection::Grep { pattern, grep, .. } => with_options(Grep::new(pattern), grep)?.into(),
        Selection::Affected { grep, .. } => {
            // Report invalid options before anything is sent.
            let any = with_options(Grep::new("any"), grep)?;
            drop(prepare(checksum, any.into(), options)?);
            let checksum = checksum.clone();
            return Ok(Plan::LookUp(Box::pin(async move {
                let find = checksum.affected_tests(files);
                let found = match options.starting.waiting.timeout {
                    None => find.await,
                    Some(after) => timeout(after, find)
                        .await
                        .map_err(|_| CliError::AffectedTimedOut { after })?,
                };
                match Grep::of_tests(&found.map_err(CliError::Start)?) {
                    None => Ok(None),
                    Some(affected) => {
                        let affected = with_options(affected, grep)?;
                        prepare(&checksum, affected.into(), options).map(Some)
                    }
                }
            })));
        }
    };
    prepare(checksum, chosen, options).map(Plan::Send)
}

fn with_options(mut grep: Grep, options: &GrepOptions) -> Result<Grep, CliError> {
    if let Some(branch) = &options.branch {
        grep = grep.branch(branch);
    }
    if let Some(count) = options.shards {
        grep = grep.shards(count);
    }
    Ok(grep.envs(options.env_overrides.pairs()?))
}

fn prepare(
    checksum: &Checksum,
    selection: Chosen,
    options: &RunOptions,
) -> Result<StartRequest, CliError> {
    let mut run = checksum.run(selection);
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

fn auto_heal(options: &AutoHealOptions) -> Result<Option<HealOptions>, CliError> {
    if !options.auto_heal {
        return Ok(None);
    }
    let mut heal = heal_options(options.repo.as_ref(), options.no_create_pr)?;
    if let Some(branch) = &options.heal_branch {
        heal = heal.target_branch(branch);
    }
    if let Some(number) = &options.pr {
        heal = heal.report_to(number.clone());
    }
    for (name, value) in options.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    Ok(Some(heal))
}
