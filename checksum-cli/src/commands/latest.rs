//! `checksum latest`: shows the most recent run of the project.

use crate::args::Connection;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Message, test_run_url};
use crate::output::stdout::Output;
use crate::output::text::one_line;

pub(super) async fn execute(
    connection: Connection,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let latest = client::client(&connection)?.latest_test_run().await?;
    let mut text = latest.id().to_string();
    if let Some(state) = latest.state() {
        text = format!("{text}: {state}");
    }
    if let Some(branch) = latest.branch() {
        text = format!("{text}, branch {branch}");
    }
    let test_run_url = test_run_url(Some(latest.id()));
    text = one_line(&text);
    if let Some(url) = &test_run_url {
        text = format!("{text}\nsee {url}");
    }
    let latest = &latest;
    let message = Message::Latest {
        latest,
        test_run_url,
    };
    output.result(&text, &message);
    Ok(ExitCode::Pass)
}
