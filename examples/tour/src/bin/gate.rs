//! Ends with an exit code that a deploy script can use: 0 if the tests passed, 1 if they did not, and
//! 2 if that is not known.

#![expect(clippy::print_stdout, reason = "the output of an example")]
#![expect(clippy::print_stderr, reason = "errors of an example")]

use std::process::ExitCode;
use std::time::Duration;

use checksum_api_ext::{Checksum, Error, Grep, PollPolicy, RunReport, Started, TestStatus};
use checksum_mock::{Mock, RunScript};

#[tokio::main]
async fn main() -> ExitCode {
    let mock = Mock::start().await.expect("a free port");
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let checksum = tour::client_of(&mock).expect("a client"); // With an API key: Checksum::from_env()

    match passes(&checksum).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            if error.started() == Started::Yes {
                eprintln!("the run goes on as {:?}", error.handle_key());
            }
            ExitCode::from(2)
        }
    }
}

async fn passes(checksum: &Checksum) -> Result<bool, Error> {
    let tests = Grep::new("checkout").env("BASE_URL", "https://preview.example.com");
    let deadline = PollPolicy::immediate().deadline(Duration::from_secs(45 * 60));
    let run = checksum.run_grep(tests).start().await?;
    let report = run.with_poll_policy(deadline).await?;
    println!("the run has {}", report.outcome());
    if !report.is_success()
        && let Err(error) = print_failures(&report).await
    {
        // The verdict is known nevertheless.
        eprintln!("{error}");
    }
    Ok(report.is_success())
}

async fn print_failures(report: &RunReport) -> Result<(), Error> {
    let test_run = report.test_run()?;
    let failed = test_run.results_with_status(TestStatus::Failed).await?;
    for test in failed.tests() {
        let message = test.error_message.as_deref().unwrap_or_default();
        println!("{}: {message}", test.checksum_test_id);
    }
    Ok(())
}
