use checksum_api_ext::types::RepoName;
use checksum_api_ext::{Checksum, HealBatch};

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
    if let Some(repo) = repo.filter(|repo| !quiet && !args::has_owner(repo)) {
        eprint_line(&format!(
            "note: --repo {repo} is not OWNER/REPO; it is sent as it is, and the service may not find it"
        ));
    }
}

fn prepare(
    checksum: &Checksum,
    arguments: &args::Heal,
) -> Result<Prepared<Judged<HealBatch>>, CliError> {
    let mut heal = checksum.heal(arguments.test_run.clone());
    if let Some(repo) = &arguments.repo {
        heal = heal.repo(repo.clone());
    }
    if arguments.no_create_pr {
        heal = heal.without_pull_request();
    }
    if let Some(branch) = &arguments.branch {
        heal = heal.branch(branch);
    }
    if let Some(number) = arguments.pr {
        heal = heal.pr(number);
    }
    for (name, value) in arguments.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    for (name, value) in arguments.starting.fields.pairs()? {
        heal = heal.extra_field(name, value);
    }
    let is_strict = arguments.strict;
    Ok(Prepared::new(heal.intent()?, async move {
        let work = heal.start().await?;
        Ok(Judged { work, is_strict })
    }))
}
