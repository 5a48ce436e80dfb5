//! What `cargo xtask bench` measures: each case does one thing a given number of times, and prints how
//! often it did it. A case of this workspace has a peer, hand-written code that does the same. A case
//! may print more figures, as lines of `NAME VALUE`.

#![expect(clippy::print_stdout, reason = "a program for valgrind")]

mod attachments;
mod calls;
mod decoding;
mod lag;
mod policy;
mod reporting;
mod results;
mod server;
mod watching;

use std::time::Duration;

type Error = Box<dyn std::error::Error + Send + Sync>;

const KEY: &str = "key-of-the-benchmarks";
const JOB: &str = "job-name-12345";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let units = match arguments[..] {
        ["serve", milliseconds, port] => {
            return server::serve(Duration::from_millis(milliseconds.parse()?), port.parse()?);
        }
        ["attachments", url, tests, files, directory] => {
            attachments::run(url, tests.parse()?, files.parse()?, directory).await?
        }
        ["calls", case, times] => calls::run(case, times.parse()?).await?,
        ["decoding", case, times] => decoding::run(case, times.parse()?).await?,
        ["policy", policy, durations, runs] => {
            policy::run(policy, durations, runs.parse()?).await?
        }
        ["reporting", case, tests] => reporting::run(case, tests.parse()?)?,
        ["results", case, tests] => results::run(case, tests.parse()?, None).await?,
        ["results", case, tests, odd] => results::run(case, tests.parse()?, Some(odd)).await?,
        ["serve-results", place, tests] => return results::serve(place, tests.parse()?, None),
        ["serve-results", place, tests, odd] => {
            return results::serve(place, tests.parse()?, Some(odd));
        }
        ["lag", case, runs] => lag::run(case, runs.parse()?).await?,
        ["watching", case, polls] => watching::run(case, polls.parse()?).await?,
        _ => return Err("usage: checksum-bench TOPIC CASE TIMES".into()),
    };
    println!("units {units}");
    Ok(())
}
