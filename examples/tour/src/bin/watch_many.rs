//! Watches many runs by one stream, and resumes those that are left as another process would.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::collections::BTreeMap;
use std::error::Error;

use checksum_api_ext::{Event, Handle};
use checksum_mock::{Mock, RunScript};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start().await?;
    mock.next_run(RunScript::new().running(40).fail_tests(["test-abc-123"]));
    let checksum = tour::client_of(&mock)?; // With an API key: Checksum::from_env()?

    let mut runs = checksum.watch([]);
    for pattern in ["checkout", "cart", "sign in", "password", "search"] {
        runs.insert(&checksum.run_grep(pattern).start().await?);
    }
    println!("watching {} runs", runs.len());
    let mut outcomes = BTreeMap::new();
    while let Some((handle, event)) = runs.next().await {
        // An error would end the watch of this run and of no other. This program ends with the first.
        if let Event::Finished(report) = event? {
            outcomes.insert(handle.to_string(), report.state().to_owned());
        }
        if runs.len() == 1 {
            break;
        }
    }

    // A handle is a small value to store. Dropping the set stops polling and nothing else.
    let stored = runs.iter().map(|handle| handle.to_string());
    let stored: Vec<String> = stored.collect();
    drop(runs);
    println!("stored: {stored:?}");

    let resumed: Result<Vec<Handle>, _> = stored.iter().map(|key| key.parse()).collect();
    let mut runs = checksum.watch(resumed?);
    while let Some((handle, event)) = runs.next().await {
        if let Event::Finished(report) = event? {
            outcomes.insert(handle.to_string(), report.state().to_owned());
        }
    }
    for (run, outcome) in outcomes {
        println!("{run}: {outcome}");
    }
    Ok(())
}
