//! Uses the client from a program without an async runtime: `.block()` in place of `.await`.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;

use checksum_api_ext::Event;
use checksum_api_ext::blocking::Block;
use checksum_mock::Mock;

fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start().block()?;
    let checksum = tour::client_of(&mock)?; // With an API key: Checksum::from_env()?

    let run = checksum.run_suite().start().block()?;
    let mut events = run.events();
    while let Some(event) = events.next().block() {
        match event? {
            Event::Changed { current, .. } => println!("{}", current.state()),
            Event::Finished(report) => println!("the run has {}", report.outcome()),
            _ => {}
        }
    }

    let mut bugs = checksum.bugs().into_stream();
    while let Some(bug) = bugs.next().block() {
        println!("{}", bug?.title.unwrap_or_default());
    }
    Ok(())
}
