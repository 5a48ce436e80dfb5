use checksum_api_ext::{Checksum, HealBatch, HealOptions, RepoName};

use crate::args;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::wait::start::{Prepared, dispatch};
use crate::wait::work::Judged;

pub(super) async fn execute(
    arguments: args::Heal,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    note_bare_repository(arguments.repo.as_ref(), quiet);
    let prepare = async |checksum: &Checksum| prepare(checksum, &arguments).map(Some);
    dispatch(&arguments.starting, false, false, quiet, output, prepare).await
}

/// The description shows a repository with its owner here. The vendor's own clients send the bare
/// name, so it is not a mistake for certain.
pub(super) fn note_bare_repository(repo: Option<&RepoName>, quiet: bool) {
    if let Some(repo) = repo.filter(|repo| !quiet && !repo.has_owner()) {
        eprint_line(&format!(
            "note: --repo {repo} is not OWNER/REPO; it is sent as it is, and the service may not find it"
        ));
    }
}

pub(super) fn heal_options(
    repo: Option<&RepoName>,
    no_pull_request: bool,
) -> Result<HealOptions, CliError> {
    match (repo, no_pull_request) {
        (Some(repo), false) => Ok(HealOptions::open_pull_request(repo.clone())),
        (None, false) => Err(CliError::NoRepository),
        (Some(repo), true) => Ok(HealOptions::no_pull_request().repo(repo.clone())),
        (None, true) => Ok(HealOptions::no_pull_request()),
    }
}

fn prepare(
    checksum: &Checksum,
    arguments: &args::Heal,
) -> Result<Prepared<Judged<HealBatch>>, CliError> {
    let mut options = heal_options(arguments.repo.as_ref(), arguments.no_create_pr)?;
    if let Some(branch) = &arguments.branch {
        options = options.target_branch(branch);
    }
    if let Some(number) = &arguments.pr {
        options = options.report_to(number.clone());
    }
    for (name, value) in arguments.metadata.pairs()? {
        options = options.metadata(name, value);
    }
    for (name, value) in arguments.starting.fields.pairs()? {
        options = options.extra_field(name, value);
    }
    let heal = checksum.heal(arguments.test_run.clone(), options);
    let is_strict = arguments.strict;
    Ok(Prepared::new(heal.intent()?, async move {
        let work = heal.start().await?;
        Ok(Judged { work, is_strict })
    }))
}
