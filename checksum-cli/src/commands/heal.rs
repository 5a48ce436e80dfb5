//! `checksum heal`: starts a healing, waits for it, and exits with its result.

use checksum_api_ext::{Checksum, HealOptions, PrNumber, RepoName};
use serde_json::Value;

use crate::args;
use crate::args::key_value::{extra_fields, metadata};
use crate::ci::{Ci, Options};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

pub(super) async fn execute(
    mut arguments: args::Heal,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let ci = Ci::detect();
    let options = options_of_heal(
        arguments.no_create_pr,
        &mut arguments.repo,
        &mut arguments.pr,
    );
    ci.fill(options, quiet);
    note_bare_repository(arguments.repo.as_ref(), quiet);
    let options = StartOptions::for_batch(&arguments.starting, arguments.strict, quiet, &ci);
    start(options, output, |checksum| plan(checksum, &arguments)).await
}

/// Returns the options of a healing that an event can fill: none if it has no pull request.
pub(super) fn options_of_heal<'a>(
    no_create_pr: bool,
    repo: &'a mut Option<RepoName>,
    pr: &'a mut Option<PrNumber>,
) -> Options<'a> {
    if no_create_pr && pr.is_none() {
        return Options::default();
    }
    Options {
        repo: Some(repo),
        pr: Some(pr),
        ..Options::default()
    }
}

/// Prints a note if a repository has no owner. It may be correct: the vendor's own clients send only
/// the name, while the API's description shows OWNER/REPO.
pub(super) fn note_bare_repository(repo: Option<&RepoName>, quiet: bool) {
    if let Some(repo) = repo.filter(|repo| !quiet && !repo.has_owner()) {
        eprint_line(&format!(
            "note: --repo {repo} is not OWNER/REPO; it is sent unchanged, and the service may not \
             find it"
        ));
    }
}

/// Returns the options of a healing, which `--auto-heal` and `checksum heal` share.
pub(super) fn heal_options(
    repo: Option<&RepoName>,
    no_create_pr: bool,
    target_branch: Option<&String>,
    report_to: Option<&PrNumber>,
    metadata: Vec<(String, Value)>,
) -> Result<HealOptions, CliError> {
    let mut options = match (repo, no_create_pr) {
        (Some(repo), false) => HealOptions::open_pull_request(repo.clone()),
        (Some(repo), true) => HealOptions::no_pull_request().repo(repo.clone()),
        (None, true) if report_to.is_none() => HealOptions::no_pull_request(),
        (None, _) => return Err(CliError::NoRepository),
    };
    if let Some(branch) = target_branch {
        options = options.target_branch(branch);
    }
    if let Some(number) = report_to {
        options = options.report_to(number.clone());
    }
    let metadata = metadata.into_iter();
    Ok(metadata.fold(options, |options, (name, value)| {
        options.metadata(name, value)
    }))
}

fn plan<'a>(checksum: &Checksum, arguments: &args::Heal) -> Result<Plan<'a>, CliError> {
    let mut options = heal_options(
        arguments.repo.as_ref(),
        arguments.no_create_pr,
        arguments.branch.as_ref(),
        arguments.pr.as_ref(),
        metadata(&arguments.metadata)?,
    )?;
    for (name, value) in extra_fields(&arguments.starting.field)? {
        options = options.extra_field(name, value);
    }
    let heal = checksum.heal(arguments.test_run.clone(), options);
    Ok(Plan::Send(StartRequest {
        intent: heal.intent()?,
        send: Box::pin(async move { Ok(Work::Heal(heal.start().await?)) }),
    }))
}
