//! `checksum results`: shows the result of each test of a run.

use checksum_api_ext::{TestResult, TestRun, TestRunResults, TestStatus};
use checksum_report::Report;

use crate::args::Results;
use crate::artifacts;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Message, test_run_url};
use crate::output::colour::Coloured;
use crate::output::stdout::Output;
use crate::output::table;
use crate::reports::Reports;

pub(super) async fn execute(
    arguments: Results,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let reports = Reports::prepare(&arguments.report);
    match fetch(&arguments).await {
        Ok((test_run, results)) => {
            if output.is_text() {
                output.page(&table(&results));
            }
            let written = reports.write(Report::of_results(&results));
            let mut code = written.code(ExitCode::Pass);
            let mut downloaded = None;
            if let Some(wanted) = &arguments.artifacts {
                let (artifacts, is_complete) =
                    artifacts::download(wanted, Ok(test_run), Ok(&results), quiet, output).await;
                downloaded = Some(artifacts);
                if !is_complete {
                    code = code.with_errors();
                }
            }
            output.data(&Message::Results {
                results: &results,
                test_run_url: test_run_url(Some(&arguments.test_run)),
                artifacts: downloaded.as_ref(),
            });
            Ok(code)
        }
        Err(error) => {
            reports.write(Report::without_results(&error));
            Err(error)
        }
    }
}

async fn fetch(arguments: &Results) -> Result<(TestRun, TestRunResults), CliError> {
    let checksum = client::client(&arguments.connection)?;
    let test_run = checksum.test_run(arguments.test_run.clone());
    let results = match &arguments.status {
        None => test_run.results().await?,
        Some(status) => test_run.results_with_status(status.clone()).await?,
    };
    Ok((test_run, results))
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
