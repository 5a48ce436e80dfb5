//! The stand-in in a process of its own, for tools that speak HTTP: prints its address, and serves
//! until its standard input ends.
//!
//! Runs end at the first look, with one test that failed, so that everything behind a run can be
//! reached by whoever follows the answers.

use std::io::{BufRead, Write};

use checksum_mock::{Mock, RunScript};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = std::env::args().nth(1).ok_or("usage: serve <API key>")?;
    let mock = Mock::builder()
        .api_key(key)
        .default_run(
            RunScript::new()
                .queued(0)
                .running(0)
                .fails(["test-def-456"]),
        )
        .keep_requests(0)
        .start()
        .await?;
    writeln!(std::io::stdout(), "{}", mock.url())?;
    // Whoever started this closes it by going away, however that happens.
    tokio::task::spawn_blocking(|| {
        let ignored = std::io::stdin().lock().lines().find(Result::is_err);
        drop(ignored);
    })
    .await?;
    Ok(())
}
