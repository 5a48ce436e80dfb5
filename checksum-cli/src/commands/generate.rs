use checksum_api_ext::{Checksum, GenerationBatch};

use crate::args;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::wait::start::{Prepared, dispatch};
use crate::wait::work::Judged;

pub(super) async fn execute(
    arguments: args::Generate,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let prepare = async |checksum: &Checksum| prepare(checksum, &arguments).map(Some);
    dispatch(&arguments.starting, false, false, quiet, output, prepare).await
}

fn prepare(
    checksum: &Checksum,
    arguments: &args::Generate,
) -> Result<Prepared<Judged<GenerationBatch>>, CliError> {
    let repo = arguments.repo.clone();
    let mut generate = checksum.generate(repo, arguments.pr.clone(), &arguments.branch);
    for (name, value) in arguments.variables.pairs()? {
        generate = generate.env(name, value);
    }
    for (name, value) in arguments.metadata.pairs()? {
        generate = generate.metadata(name, value);
    }
    for (name, value) in arguments.starting.fields.pairs()? {
        generate = generate.extra_field(name, value);
    }
    let is_strict = arguments.strict;
    Ok(Prepared::new(generate.intent()?, async move {
        let work = generate.start().await?;
        Ok(Judged { work, is_strict })
    }))
}
