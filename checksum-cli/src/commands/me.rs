use checksum_api_ext::PollPolicy;

use crate::args::Me;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stdout::Output;
use crate::output::text::one_line;

pub(super) async fn execute(arguments: Me, output: &mut Output) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection, PollPolicy::default())?;
    let project = checksum.project().await?;
    let text = one_line(&format!("{} ({})", project.name, project.id));
    output.result(&text, &Message::Project { project: &project });
    Ok(ExitCode::Pass)
}
