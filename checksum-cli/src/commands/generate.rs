//! `checksum generate`: starts a generation, waits for it, and exits with its result.

use checksum_api_ext::{Checksum, PrNumber, RepoName};

use crate::args;
use crate::args::key_value::{extra_fields, metadata};
use crate::ci::{Ci, Options};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

pub(super) async fn execute(
    mut arguments: args::Generate,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let ci = Ci::detect();
    let options = Options {
        repo: Some(&mut arguments.repo),
        pr: Some(&mut arguments.pr),
        head_branch: Some(&mut arguments.branch),
        ..Options::default()
    };
    ci.fill(options, quiet);
    let pull_request = pull_request(&arguments)?;
    let options = StartOptions::for_batch(&arguments.starting, arguments.strict, quiet, &ci);
    start(options, output, |checksum| {
        plan(checksum, pull_request, &arguments)
    })
    .await
}

/// Returns the pull request that tests are generated for, and its branch.
fn pull_request(arguments: &args::Generate) -> Result<(RepoName, PrNumber, String), CliError> {
    let (repo, pr) = (arguments.repo.clone(), arguments.pr.clone());
    match (repo, pr, arguments.branch.clone()) {
        (Some(repo), Some(pr), Some(branch)) => Ok((repo, pr, branch)),
        (repo, pr, branch) => {
            let options = [
                ("--repo", repo.is_none()),
                ("--pr", pr.is_none()),
                ("--branch", branch.is_none()),
            ];
            let missing = options.iter().filter(|(_, is_missing)| *is_missing);
            let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
            Err(CliError::NoPullRequest(missing.join(", ")))
        }
    }
}

fn plan<'a>(
    checksum: &Checksum,
    (repo, pr, branch): (RepoName, PrNumber, String),
    arguments: &args::Generate,
) -> Result<Plan<'a>, CliError> {
    let mut generate = checksum.generate(repo, pr, branch);
    for (name, value) in arguments.env_overrides.pairs()? {
        generate = generate.env(name, value);
    }
    for (name, value) in metadata(&arguments.metadata)? {
        generate = generate.metadata(name, value);
    }
    for (name, value) in extra_fields(&arguments.starting.field)? {
        generate = generate.extra_field(name, value);
    }
    Ok(Plan::Send(StartRequest {
        intent: generate.intent()?,
        send: Box::pin(async move { Ok(Work::Generation(generate.start().await?)) }),
    }))
}
