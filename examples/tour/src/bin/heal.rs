//! Heals the failures of a run, follows the agent to its pull request, and runs the tests again.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;

use checksum_api_ext::{Event, HealOptions};
use checksum_mock::{Mock, RunScript};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start().await?;
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let checksum = tour::client_of(&mock)?; // With an API key: Checksum::from_env()?

    let report = checksum.run_suite().start().await?.await?;
    println!("the run has {}", report.outcome());

    let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?).target_branch("main");
    let mut events = report.heal(options)?.start().await?.events();
    while let Some(event) = events.next().await {
        match event? {
            Event::Changed { previous, current } => {
                for session in current.changed_sessions(previous.as_ref()) {
                    println!("{} is {}", session.session_id, session.status);
                }
            }
            Event::Finished(batch) => {
                for pull_request in batch.pull_requests() {
                    println!("review and merge {pull_request}");
                }
            }
            _ => {}
        }
    }

    let report = checksum.run_suite().start().await?.await?;
    println!("the next run has {}", report.outcome());
    Ok(())
}
