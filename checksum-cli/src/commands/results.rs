//! `checksum results`: shows the result of each test of a run.

use checksum_api_ext::{TestResult, TestRunResults, TestStatus};
use checksum_report::Report;

use crate::args::Results;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::colour::Coloured;
use crate::output::stdout::Output;
use crate::output::table;
use crate::reports::Reports;

pub(super) async fn execute(arguments: Results, output: &mut Output) -> Result<ExitCode, CliError> {
    let reports = Reports::prepare(&arguments.report);
    match fetch(&arguments).await {
        Ok(results) => {
            output.coloured_result(&table(&results), &Message::Results { results: &results });
            let written = reports.write(Report::of_results(&results));
            Ok(written.code(ExitCode::Pass))
        }
        Err(error) => {
            reports.write(Report::without_results(&error));
            Err(error)
        }
    }
}

async fn fetch(arguments: &Results) -> Result<TestRunResults, CliError> {
    let checksum = client::client(&arguments.connection)?;
    let test_run = checksum.test_run(arguments.test_run.clone());
    let results = match &arguments.status {
        None => test_run.results().await,
        Some(status) => test_run.results_with_status(status.clone()).await,
    };
    Ok(results?)
}

/// Returns a table of the tests, failed ones first.
pub(super) fn table(results: &TestRunResults) -> Coloured {
    let mut tests: Vec<&TestResult> = results.tests().iter().collect();
    tests.sort_by_key(|test| test.status != TestStatus::Failed);
    let rows = tests.into_iter().map(|test| {
        [
            test.status.as_str(),
            test.checksum_test_id.as_str(),
            test.test_title.as_deref().unwrap_or_default(),
            test.error_message.as_deref().unwrap_or_default(),
        ]
    });
    table::build(["status", "test", "title", "error"], 2, rows)
}
