//! Runs every test of the project, and prints the result of each.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;

use checksum_mock::Mock;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start().await?;
    let checksum = tour::client_of(&mock)?; // With an API key: Checksum::from_env()?

    let report = checksum.run_suite().start().await?.await?;

    println!("the run has {}", report.outcome());
    for test in report.results().await?.tests() {
        let title = test.test_title.as_deref().unwrap_or_default();
        println!("{}: {title}", test.status);
    }
    Ok(())
}
