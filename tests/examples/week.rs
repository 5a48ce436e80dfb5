//! Simulates a week of 10,000 runs that one set watches, with 1% of faults and two outages of an hour.
//! Each run has to end as scripted. Prints figures, as lines of a name and a value.
//!
//! ```text
//! cargo run --release -p checksum-tests --example week
//! ```

use std::error::Error;
use std::io::Write;

use checksum_tests::week::{MAX_PER_SECOND, SAMPLES, Week};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const WEEK: Week = Week {
    runs_per_day: 1_429,
    days: 7,
    outages: &[1, 4],
    one_fault_in: 100,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tokio::time::pause();
    let real = std::time::Instant::now();
    let measured = WEEK.simulate(|| ALLOCATOR.current_usage()).await;
    let runs = WEEK.runs_per_day * WEEK.days as usize;
    let memory = |day: usize, sample: usize| measured.memory[SAMPLES.len() * day + sample];
    let last = WEEK.days as usize - 1;
    let night = memory(last, 0);
    let peak = |at: usize| measured.peaks.iter().map(|peaks| peaks[at]).max();
    let mut out = std::io::stdout();
    writeln!(out, "runs {runs}\nright {}", measured.right)?;
    writeln!(out, "requests {}", measured.requests)?;
    writeln!(out, "faults {}", measured.faults)?;
    writeln!(out, "lag {:.2}", measured.mean_lag.as_secs_f64())?;
    writeln!(out, "first-midnight {}", memory(0, 2).bytes)?;
    writeln!(out, "last-midnight {}", memory(last, 2).bytes)?;
    writeln!(out, "bytes-per-run {}", night.bytes / night.watched.max(1))?;
    writeln!(out, "peak-before {}", peak(0).unwrap_or_default())?;
    writeln!(out, "peak-after {}", peak(1).unwrap_or_default())?;
    writeln!(out, "seconds {:.1}", real.elapsed().as_secs_f64())?;
    if measured.right != runs || !measured.wrong.is_empty() {
        return Err(format!("wrong: {:?}", measured.wrong).into());
    }
    if peak(1).is_none_or(|peak| peak > MAX_PER_SECOND) {
        return Err("too many requests in a second after an outage".into());
    }
    Ok(())
}
