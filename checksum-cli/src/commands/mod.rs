mod attachments;
mod bugs;
mod demo;
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

use crate::args::{Arguments, Command};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::signal::until_signal;

/// Does what was asked for.
pub(crate) async fn execute(
    arguments: Arguments,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let quiet = arguments.global.quiet;
    match arguments.command {
        Command::Run(arguments) => run::execute(arguments, quiet, output).await,
        Command::Heal(arguments) => heal::execute(arguments, quiet, output).await,
        Command::Generate(arguments) => generate::execute(arguments, quiet, output).await,
        Command::Wait(arguments) => wait::execute(arguments, quiet, output).await,
        Command::Status(arguments) => interruptible(status::execute(arguments, output)).await,
        Command::Results(arguments) => interruptible(results::execute(arguments, output)).await,
        Command::Report(arguments) => {
            interruptible(report::execute(arguments, quiet, output)).await
        }
        Command::Attachments(arguments) => {
            interruptible(attachments::execute(arguments, quiet, output)).await
        }
        Command::Latest(arguments) => interruptible(latest::execute(arguments, output)).await,
        Command::Bugs(arguments) => interruptible(bugs::execute(arguments, output)).await,
        Command::Me(arguments) => interruptible(me::execute(arguments, output)).await,
        Command::Mock(arguments) => interruptible(mock::execute(arguments, output)).await,
        Command::Completions { shell } => Ok(manual::completions(shell, output)),
        Command::Schema => Ok(manual::schema(output)),
        Command::Man { command } => manual::page(&command, output),
        Command::Demo => interruptible(demo::execute(quiet, output)).await,
    }
}

/// For commands that leave nothing behind when a signal ends them.
async fn interruptible(
    work: impl Future<Output = Result<ExitCode, CliError>>,
) -> Result<ExitCode, CliError> {
    until_signal(work)
        .await
        .unwrap_or_else(|signal| Err(CliError::Interrupted(signal)))
}
