//! `checksum me`: shows the project that the API key belongs to.

use crate::args::Connection;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stdout::Output;
use crate::output::text::one_line;

pub(super) async fn execute(
    connection: Connection,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let project = client::client(&connection)?.project().await?;
    let text = one_line(&format!("{} ({})", project.name, project.id));
    output.result(&text, &Message::Project { project: &project });
    Ok(ExitCode::Pass)
}
