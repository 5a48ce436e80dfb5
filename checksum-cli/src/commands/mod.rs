mod affected;
mod attachments;
mod bugs;
mod demo;
mod dispatch;
mod dry_run;
mod follow;
mod generate;
mod heal;
mod latest;
mod manual;
mod me;
mod mock;
mod report;
mod results;
mod run;
mod status;
mod wait;
mod work;

pub(crate) use affected::ChangedFilesError;

use crate::arguments::{Arguments, Command};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;

/// Does what was asked for.
pub(crate) async fn execute(
    arguments: Arguments,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let quiet = arguments.global.quiet;
    match arguments.command {
        Command::Run(arguments) => run::execute(arguments, quiet, output).await,
        Command::Heal(arguments) => heal::execute(arguments, quiet, output).await,
        Command::Generate(arguments) => generate::execute(arguments, quiet, output).await,
        Command::Wait(arguments) => wait::execute(arguments, quiet, output).await,
        Command::Status(arguments) => plainly(status::execute(arguments, output)).await,
        Command::Results(arguments) => plainly(results::execute(arguments, output)).await,
        Command::Report(arguments) => plainly(report::execute(arguments, quiet, output)).await,
        Command::Attachments(arguments) => {
            plainly(attachments::execute(arguments, quiet, output)).await
        }
        Command::Latest(arguments) => plainly(latest::execute(arguments, output)).await,
        Command::Bugs(arguments) => plainly(bugs::execute(arguments, output)).await,
        Command::Me(arguments) => plainly(me::execute(arguments, output)).await,
        Command::Mock(arguments) => plainly(mock::execute(arguments, output)).await,
        Command::Completions { shell } => Ok(manual::completions(shell, output)),
        Command::Schema => Ok(manual::schema(output)),
        Command::Man { command } => manual::page(&command, output),
        Command::Demo => plainly(demo::execute(quiet, output)).await,
    }
}

/// For commands that leave nothing behind when a signal ends them.
async fn plainly(
    work: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    unless_interrupted(work)
        .await
        .unwrap_or_else(|signal| Err(Failure::Interrupted(signal)))
}
