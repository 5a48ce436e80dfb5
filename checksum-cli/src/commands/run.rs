//! `checksum run`: starts a run, waits for it, and exits with its verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use checksum_api_ext::{Checksum, Grep, HealOptions, Selection};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::heal::{heal_options, note_bare_repository, options_of_heal};
use crate::args::key_value::{extra_fields, metadata};
use crate::args::{self, GrepOptions, RunOptions};
use crate::changed_files::changed_files;
use crate::ci::{Ci, Options};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::reports::Reports;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

/// How long finding the affected tests may take without `--timeout`.
const MAX_LOOKUP: Duration = Duration::from_secs(600);

pub(super) async fn execute(
    mut arguments: args::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let ci = Ci::detect();
    fill(&mut arguments.selection, &ci, quiet);
    let selection = &arguments.selection;
    let options = options(selection);
    note_bare_repository(options.auto_heal.repo.as_ref(), quiet);
    // First of all, so that no failure leaves the reports of an earlier run.
    let reports = Reports::prepare(&options.report);
    let reports = reports.with_artifacts(options.artifacts.as_ref(), quiet);
    let reports = reports.with_ci(&ci);
    // Before signals are handled, because standard input can block forever.
    let files = match selection {
        args::Selection::Affected { changed, .. } => {
            let key_is_on_stdin = options.starting.connection.api_key_stdin;
            match changed_files(changed.base.as_deref(), &changed.files, key_is_on_stdin) {
                Ok(files) => files,
                Err(error) => return reports.finish(Err(error.into()), false, output).await,
            }
        }
        _ => Vec::new(),
    };
    let start_options = StartOptions {
        starting: &options.starting,
        is_strict: options.strict,
        allow_no_tests: options.allow_no_tests,
        reports,
        quiet,
        ci: &ci,
    };
    start(start_options, output, |checksum| {
        plan(checksum, selection, files, &ci)
    })
    .await
}

/// Takes from the event what is not given.
fn fill(selection: &mut args::Selection, ci: &Ci, quiet: bool) {
    let (options, branch) = match selection {
        args::Selection::Suite { options, .. }
        | args::Selection::Collection { options, .. }
        | args::Selection::Tests { options, .. } => (options, None),
        args::Selection::Grep { grep, options, .. }
        | args::Selection::Affected { grep, options, .. } => (options, Some(&mut grep.branch)),
    };
    let heal = &mut options.auto_heal;
    let of_heal = match heal.auto_heal {
        true => options_of_heal(heal.no_create_pr, &mut heal.repo, &mut heal.pr),
        false => Options::default(),
    };
    ci.fill(Options { branch, ..of_heal }, quiet);
}

fn options(selection: &args::Selection) -> &RunOptions {
    match selection {
        args::Selection::Suite { options, .. }
        | args::Selection::Collection { options, .. }
        | args::Selection::Tests { options, .. }
        | args::Selection::Grep { options, .. }
        | args::Selection::Affected { options, .. } => options,
    }
}

fn plan<'a>(
    checksum: &Checksum,
    selection: &'a args::Selection,
    files: Vec<String>,
    ci: &'a Ci,
) -> Result<Plan<'a>, CliError> {
    let began = Instant::now();
    let options = options(selection);
    let extras = Extras::new(options)?;
    let selection = match selection {
        args::Selection::Suite { suite, .. } if suite.is_empty() => Selection::Suite,
        args::Selection::Suite { suite, .. } => Selection::Suites(suite.clone()),
        args::Selection::Collection { id, .. } => Selection::Collection(id.clone()),
        args::Selection::Tests { ids, .. } => Selection::Tests(ids.clone()),
        args::Selection::Grep { pattern, grep, .. } => {
            let variables = grep.env_overrides.pairs()?;
            with_options(Grep::new(pattern), grep, variables).into()
        }
        args::Selection::Affected { grep, .. } => {
            let variables = grep.env_overrides.pairs()?;
            let checksum = checksum.clone();
            let waiting = &options.starting.waiting;
            return Ok(Plan::LookUp(Box::pin(async move {
                let limit = waiting.timeout.unwrap_or(MAX_LOOKUP);
                let tests = timeout(limit, checksum.affected_tests(files)).await;
                let tests = tests.map_err(|_| CliError::AffectedTimedOut { after: limit })?;
                let tests = tests.map_err(CliError::Start)?;
                let affected = Grep::of_tests(&tests);
                ci.affected(&tests, affected.as_ref().map(Grep::pattern));
                let Some(affected) = affected else {
                    return Ok(None);
                };
                // The start gets the time that finding the tests left of --timeout.
                let policy = waiting.policy_after(began.elapsed());
                let checksum = checksum.with_poll_policy(policy);
                let affected = with_options(affected, grep, variables);
                extras.request(&checksum, affected.into()).map(Some)
            })));
        }
    };
    extras.request(checksum, selection).map(Plan::Send)
}

fn with_options(
    mut grep: Grep,
    options: &GrepOptions,
    variables: BTreeMap<String, String>,
) -> Grep {
    if let Some(branch) = &options.branch {
        grep = grep.branch(branch);
    }
    if let Some(count) = options.shards {
        grep = grep.shards(count);
    }
    grep.envs(variables)
}

/// The options that every selection has, validated before anything is sent.
struct Extras {
    heal: Option<HealOptions>,
    fields: Vec<(String, Value)>,
}

impl Extras {
    fn new(options: &RunOptions) -> Result<Self, CliError> {
        let heal = &options.auto_heal;
        let heal = heal.auto_heal.then(|| {
            let metadata = metadata(&heal.metadata)?;
            let (repo, branch) = (heal.repo.as_ref(), heal.heal_branch.as_ref());
            heal_options(repo, heal.no_create_pr, branch, heal.pr.as_ref(), metadata)
        });
        Ok(Self {
            heal: heal.transpose()?,
            fields: extra_fields(&options.starting.field)?,
        })
    }

    fn request(self, checksum: &Checksum, selection: Selection) -> Result<StartRequest, CliError> {
        let mut run = checksum.run(selection);
        if let Some(heal) = self.heal {
            run = run.auto_heal(heal);
        }
        for (name, value) in self.fields {
            run = run.extra_field(name, value);
        }
        Ok(StartRequest {
            intent: run.intent()?,
            send: Box::pin(async move { Ok(Work::Run(run.start().await?)) }),
        })
    }
}
