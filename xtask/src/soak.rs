//! Simulates many more schedules of faults than the gate does, and a week of runs in a set, with
//! the overflow checks and debug assertions of the gate's build.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::root;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many schedules to simulate
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    schedules: u64,
    /// The seed of the first one
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    first: u64,
}

/// Runs the test `simulation`, which prints its progress and a command for each seed that failed, and the
/// example `week`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--locked", "-p", "checksum-tests"])
        .args(["--test", "simulation", "no_schedule", "--", "--nocapture"])
        .env("SIMULATION_FIRST", arguments.first.to_string())
        .env("SIMULATION_COUNT", arguments.schedules.to_string())
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "a schedule failed ({status})");
    let status = Command::new(env!("CARGO"))
        .args(["run", "--locked", "-p", "checksum-tests"])
        .args(["--example", "week"])
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the week failed ({status})");
    Ok(())
}
