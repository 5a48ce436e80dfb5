//! The commands, one file each.

mod attachments;
mod bugs;
mod completions;
mod demo;
mod generate;
mod heal;
mod latest;
mod man;
mod me;
mod mock;
mod report;
mod results;
mod run;
mod schema;
mod status;
mod wait;

use crate::args::{Arguments, Command};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;
use crate::signal::until_signal;

/// Runs the command of these arguments.
pub(crate) async fn execute(
    arguments: Arguments,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let quiet = arguments.global.quiet;
    match arguments.command {
        Command::Run(run) => run::execute(run, quiet, output).await,
        Command::Heal(heal) => heal::execute(heal, quiet, output).await,
        Command::Generate(generate) => generate::execute(generate, quiet, output).await,
        Command::Wait(wait) => wait::execute(wait, quiet, output).await,
        Command::Completions { shell } => Ok(completions::execute(shell, output)),
        Command::Schema => Ok(schema::execute(output)),
        Command::Man { command } => man::execute(&command, output),
        Command::Status(status) => interruptible(status::execute(status, quiet, output)).await,
        Command::Results(results) => interruptible(results::execute(results, quiet, output)).await,
        Command::Report(report) => interruptible(report::execute(report, quiet, output)).await,
        Command::Attachments(attachments) => {
            interruptible(attachments::execute(attachments, quiet, output)).await
        }
        Command::Latest(connection) => interruptible(latest::execute(connection, output)).await,
        Command::Bugs(bugs) => interruptible(bugs::execute(bugs, output)).await,
        Command::Me(connection) => interruptible(me::execute(connection, output)).await,
        Command::Mock(mock) => interruptible(mock::execute(mock, output)).await,
        Command::Demo => interruptible(demo::execute(quiet, output)).await,
    }
}

/// Runs a command that leaves nothing behind if a signal stops it.
async fn interruptible(
    command: impl Future<Output = Result<ExitCode, CliError>>,
) -> Result<ExitCode, CliError> {
    until_signal(command)
        .await
        .unwrap_or_else(|signal| Err(CliError::Interrupted(signal)))
}
