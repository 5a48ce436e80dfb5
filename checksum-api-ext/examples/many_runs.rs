//! What it costs to watch ten thousand runs by one stream for ten minutes of tokio's paused clock:
//! the looks, and how far the process's memory grows at its highest.
//!
//! ```text
//! cargo run --release -p checksum-api-ext --example many_runs
//! ```

use std::error::Error;
use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api_ext::types::JobName;
use checksum_api_ext::{ApiVersion, Checksum, Event, Handle, PollPolicy, RunHandle, StreamExt};
use tokio::time::{Instant, sleep};

const RUNS: usize = 10_000;
const LENGTH: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let real = std::time::Instant::now();
    tokio::time::pause();
    let began = Instant::now();
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    let checksum = Checksum::builder()
        .api_key("any".parse()?)
        .poll(PollPolicy::default().seed(1))
        .transport(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(Duration::from_millis(100)).await;
                let state = match began.elapsed() < LENGTH {
                    true => r#"{"status":"running"}"#,
                    false => r#"{"status":"passed","passed":45,"failed":0}"#,
                };
                Ok(http::Response::new(state).into())
            }
        })
        .build()?;
    let before = highest_memory()?;
    let handles = (0..RUNS).map(|number| {
        let name = JobName::new(format!("test-run-job-name-{number}"));
        name.map(|name| Handle::from(RunHandle::new(name).pin(ApiVersion::V1)))
    });
    let mut all = checksum.watch_all(handles.collect::<Result<Vec<_>, _>>()?);
    let mut finished = 0;
    while let Some((_, event)) = all.next().await {
        if let Event::Finished(_) = event? {
            finished += 1;
        }
    }
    let grown = highest_memory()?.saturating_sub(before);
    writeln!(
        std::io::stdout(),
        "{finished} runs, {} looks in {} s of the service's time and {:.2} s of ours: \
         {grown} bytes more memory, {} for each run",
        looks.load(Ordering::Relaxed),
        began.elapsed().as_secs(),
        real.elapsed().as_secs_f64(),
        grown / RUNS as u64,
    )?;
    Ok(())
}

/// The process's highest memory so far, in bytes, as Linux tells it.
fn highest_memory() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no VmHWM")?.parse::<u64>()? * 1024)
}
