use checksum_api_ext::{Checksum, GenerationBatch};

use super::dispatch::dispatch;
use crate::arguments;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn execute(
    arguments: arguments::Generate,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let start = async |checksum: &Checksum| start(checksum, &arguments).await;
    dispatch(&arguments.starting, quiet, output, start).await
}

async fn start(
    checksum: &Checksum,
    arguments: &arguments::Generate,
) -> Result<GenerationBatch, Failure> {
    let repo = arguments.repo.clone();
    let mut generate = checksum.generate(repo, arguments.pr, &arguments.branch);
    for (name, value) in arguments.variables.pairs()? {
        generate = generate.env(name, value);
    }
    for (name, value) in arguments.metadata.pairs()? {
        generate = generate.metadata(name, value);
    }
    Ok(generate.start().await?)
}
