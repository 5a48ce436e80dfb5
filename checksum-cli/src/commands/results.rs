use checksum_api_ext::PollPolicy;
use checksum_api_ext::{TestResult, TestRunResults, TestStatus};
use comfy_table::{ContentArrangement, Table, presets};

use crate::args::Results;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stdout::Output;
use crate::output::table::printable;

pub(super) async fn execute(arguments: Results, output: &mut Output) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection, PollPolicy::default())?;
    let test_run = checksum.test_run(arguments.test_run);
    let results = match arguments.status {
        None => test_run.results().await?,
        Some(status) => test_run.results_with_status(status).await?,
    };
    let message = Message::Results { results: &results };
    output.result(&table(&results), &message);
    Ok(ExitCode::Pass)
}

/// The tests, those that failed first.
pub(super) fn table(results: &TestRunResults) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["status", "test", "title", "error"]);
    let mut tests: Vec<&TestResult> = results.tests().iter().collect();
    tests.sort_by_key(|test| test.status != TestStatus::Failed);
    for test in tests {
        table.add_row([
            printable(test.status.as_str()),
            printable(test.checksum_test_id.as_str()),
            printable(test.test_title.as_deref().unwrap_or_default()),
            printable(test.error_message.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
