//! `checksum heal`: starts a healing, waits for it, and exits with its result.

use checksum_api_ext::Checksum;
use checksum_api_ext::types::RepoName;

use crate::args;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

pub(super) async fn execute(
    arguments: args::Heal,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    note_bare_repository(arguments.repo.as_ref(), quiet);
    let options = StartOptions {
        starting: &arguments.starting,
        is_strict: arguments.strict,
        allow_no_tests: false,
        quiet,
    };
    start(options, output, |checksum| plan(checksum, &arguments)).await
}

/// Prints a note if a repository has no owner. It may be correct: the vendor's own clients send only
/// the name, while the API's description shows OWNER/REPO.
pub(super) fn note_bare_repository(repo: Option<&RepoName>, quiet: bool) {
    if let Some(repo) = repo.filter(|repo| !quiet && !args::has_owner(repo)) {
        eprint_line(&format!(
            "note: --repo {repo} is not OWNER/REPO; it is sent unchanged, and the service may not \
             find it"
        ));
    }
}

fn plan<'a>(checksum: &Checksum, arguments: &args::Heal) -> Result<Plan<'a>, CliError> {
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
    Ok(Plan::Send(StartRequest {
        intent: heal.intent()?,
        send: Box::pin(async move { Ok(Work::Heal(heal.start().await?)) }),
    }))
}
