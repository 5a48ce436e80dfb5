//! `checksum generate`: starts a generation, waits for it, and exits with its result.

use checksum_api_ext::Checksum;

use crate::args;
use crate::args::key_value::{extra_fields, metadata};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, StartRequest};
use crate::wait::start::{StartOptions, start};
use crate::wait::work::Work;

pub(super) async fn execute(
    arguments: args::Generate,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let options = StartOptions::for_batch(&arguments.starting, arguments.strict, quiet);
    start(options, output, |checksum| plan(checksum, &arguments)).await
}

fn plan<'a>(checksum: &Checksum, arguments: &args::Generate) -> Result<Plan<'a>, CliError> {
    let repo = arguments.repo.clone();
    let mut generate = checksum.generate(repo, arguments.pr.clone(), &arguments.branch);
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
