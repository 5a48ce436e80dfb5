//! Measures one stream that watches ten thousand runs and five hundred batches of the mock server
//! over ten minutes of tokio's paused clock: the polls, and how far the process's peak memory grows.
//! Each has to end as its script says.
//!
//! ```text
//! cargo run --release -p checksum-tests --example many_runs
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use checksum_api_ext::{Event, Handle, PrNumber};
use checksum_mock::{BatchScript, Clock, Mock, RunScript};
use checksum_tests::{client_of, memory};

const RUNS: usize = 10_000;
const BATCHES: usize = 500;
const LENGTH: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tokio::time::pause();
    let mock = Mock::builder()
        .clock(Clock::real())
        .max_recorded_requests(0)
        .without_socket();
    let checksum = client_of(&mock);
    let mut expected = HashMap::new();
    for number in 0..RUNS {
        let script = RunScript::new().queued(LENGTH / 20).running(LENGTH);
        let (script, is_success) = match number % 10 {
            0 => (script.fail_tests(["test-def-456"]), false),
            1 => (script.process_error(), false),
            2 => (script.healed(), true),
            _ => (script, true),
        };
        mock.next_run(script);
        let run = checksum.run_suite().start().await?;
        expected.insert(
            Handle::from(&run).to_string(),
            (Handle::from(&run), is_success),
        );
    }
    for number in 0..BATCHES {
        let script = BatchScript::new().session(LENGTH);
        let is_success = number % 10 != 0;
        mock.next_generation(match is_success {
            true => script,
            false => script.fail_all(),
        });
        let batch = checksum
            .generate(
                "acme-co/webapp".parse()?,
                PrNumber::new(42).expect("a number"),
                "main",
            )
            .start()
            .await?;
        expected.insert(
            Handle::from(&batch).to_string(),
            (Handle::from(&batch), is_success),
        );
    }

    let requests = mock.request_count();
    let before = memory::highest()?;
    let (real, began) = (Instant::now(), tokio::time::Instant::now());
    let handles: Vec<Handle> = expected
        .values()
        .map(|(handle, _)| handle.clone())
        .collect();
    let mut all = checksum.watch(handles);
    while let Some((handle, event)) = all.next().await {
        if let Event::Finished(report) = event? {
            let known = expected.remove(&handle.to_string());
            let (_, is_success) = known.ok_or_else(|| format!("{handle} ended twice"))?;
            if report.is_success() != is_success {
                return Err(format!("{handle} did not end as its script says").into());
            }
        }
    }
    let highest = memory::highest()?;
    let grown = highest.saturating_sub(before);
    if !expected.is_empty() {
        return Err(format!("{} did not end", expected.len()).into());
    }
    writeln!(
        std::io::stdout(),
        "{RUNS} runs and {BATCHES} batches ended as scripted, after {} polls in {} s of the \
         service's time and {:.2} s of ours: {grown} bytes more memory, {} for each; peak memory \
         {highest} bytes, the mock server included",
        mock.request_count() - requests,
        began.elapsed().as_secs(),
        real.elapsed().as_secs_f64(),
        grown / (RUNS + BATCHES) as u64,
    )?;
    Ok(())
}
