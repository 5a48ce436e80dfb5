//! `bench`: measures what this workspace costs, beside other programs that do the same in the same run,
//! and writes the figures into `BENCHMARKS.md`.
//!
//! To add a row, write it into the file of its section in `sections/`; a new section also needs a line
//! in `SECTIONS`, and in `BENCHMARKS.md` the two comments between which its figures go. A section is a
//! function that returns Markdown. It has these parts at hand:
//!
//! - [`instructions`]: instructions and allocations of a case beside its peer's, each with a limit, and
//!   the peak of the heap. A case is code of `bench/src`, in the file of its topic.
//! - [`times`]: programs that run in turn (A B A B …): wall time, CPU time, and what the programs print
//!   themselves as lines of `NAME VALUE`, such as their peak memory.
//! - [`growth`]: values at sizes of 10, 100, …, as a table and as a plot in `benchmarks/`.
//!
//! With `--check`, in the gate, [`Bench::size`] chooses the small sizes, programs run once, and nothing
//! is written; what takes minutes is left out. There a section checks instructions and that what it
//! measured is right; no check depends on a time.

mod file;
mod growth;
mod instructions;
mod sections;
mod times;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::builder::PossibleValuesParser;

use crate::{process, root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure; all of it if none is named. The figures of the others stay as they are
    #[arg(value_name = "SECTION", value_parser = PossibleValuesParser::new(sections::SECTIONS.map(|(name, _)| name)))]
    sections: Vec<String>,
    /// Measure small sizes, check the limits, and write nothing
    #[arg(long)]
    check: bool,
}

/// The settings of the release profile. The build is in the folder of the dev profile and leaves its
/// `build-override` as it is, so that it uses the crates that the gate has built for build scripts.
const RELEASE: [&str; 5] = [
    "opt-level=3",
    "debug-assertions=false",
    "build-override.debug-assertions=true",
    "overflow-checks=false",
    "build-override.overflow-checks=true",
];

/// What the sections measure with.
struct Bench {
    check: bool,
    /// For the files of this run.
    folder: PathBuf,
    /// What is above its limit.
    exceeded: Vec<String>,
}

/// Measures these sections, and fails if a ratio is above its limit.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut bench = Bench {
        check: arguments.check,
        folder: process::empty_folder("bench")?,
        exceeded: Vec::new(),
    };
    bench.build_program()?;
    for (name, measure) in sections::SECTIONS {
        if !arguments.sections.is_empty() && !arguments.sections.iter().any(|only| only == name) {
            continue;
        }
        let started = Instant::now();
        let figures = measure(&mut bench).context(name)?;
        let seconds = started.elapsed().as_secs();
        eprintln!("==> {name}: {seconds} s\n\n{figures}");
        if !bench.check {
            file::write(name, &figures)?;
        }
    }
    let exceeded = bench.exceeded;
    ensure!(exceeded.is_empty(), "above the limit: {exceeded:#?}");
    Ok(())
}

impl Bench {
    /// Returns the first, or with `--check` the second.
    fn size<T>(&self, full: T, check: T) -> T {
        if self.check { check } else { full }
    }

    /// Returns the program of `bench/`, which has the cases.
    fn program(&self) -> PathBuf {
        root().join("target/debug/checksum-bench")
    }

    fn build_program(&self) -> Result<()> {
        self.build_release(&["-p", "checksum-bench"])
    }

    /// Builds with the settings of the release profile, in the folder of the dev profile.
    #[allow(clippy::unused_self, reason = "it belongs to the parts at hand")]
    fn build_release(&self, arguments: &[&str]) -> Result<()> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked"]).args(arguments);
        for setting in RELEASE {
            cargo.args(["--config", &format!("profile.dev.{setting}")]);
        }
        build(cargo.env("CARGO_INCREMENTAL", "0"))
    }

    /// Returns the `checksum` command: as it is released, or with `--check` as the gate has built it.
    fn command(&self) -> Result<PathBuf> {
        let profile = self.size("dist", "dev");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "-p", "checksum-cli", "--profile"]);
        build(cargo.arg(profile))?;
        let folder = Path::new("target").join(self.size("dist", "debug"));
        Ok(root().join(folder).join("checksum"))
    }
}

fn build(cargo: &mut Command) -> Result<()> {
    let status = cargo.current_dir(root()).status()?;
    ensure!(status.success(), "cargo cannot build it ({status})");
    Ok(())
}

/// Returns a number with three significant digits, or whole with commas between its thousands.
fn number(value: f64) -> String {
    if value.abs() < 999.5 && value.fract() != 0.0 {
        let digits = match value.abs() {
            99.95.. => 0,
            9.995.. => 1,
            _ => 2,
        };
        return format!("{value:.digits$}");
    }
    let text = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (text.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_or_commas() {
        let texts = [0.0123, 1.005, 10.0, 12.345, 999.6, 1_234_567.8].map(number);
        assert_eq!(texts, ["0.01", "1.00", "10", "12.3", "1,000", "1,234,568"]);
    }
}
