use checksum_api_ext::PollPolicy;

use crate::args::Latest;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stdout::Output;
use crate::output::text::one_line;

pub(super) async fn execute(arguments: Latest, output: &mut Output) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection, PollPolicy::default())?;
    let latest = checksum.latest_test_run().await?;
    let mut text = latest.id().to_string();
    if let Some(state) = latest.state() {
        text = format!("{text}: {state}");
    }
    if let Some(branch) = latest.branch() {
        text = format!("{text}, branch {branch}");
    }
    output.result(&one_line(&text), &Message::Latest(&latest));
    Ok(ExitCode::Pass)
}
