//! The instructions and allocations of cases in `bench/`, which valgrind counts, beside those of
//! hand-written code that does the same.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::times::figures;
use super::{Bench, number};
use crate::{process, tool};

/// What is measured, and what it is compared with. A case is its topic and its name.
pub(super) struct Comparison {
    pub(super) title: &'static str,
    /// The case of the hand-written code, and what it is.
    pub(super) peer: (&'static str, &'static str),
    /// The cases of this workspace, and the expected ratio of their instructions to the peer's.
    pub(super) ours: &'static [(&'static str, &'static str, f64)],
    /// How many times a case does its work. It also runs twice as often, and the difference counts, so
    /// that neither the start nor the end of the program does.
    pub(super) times: u64,
}

/// How far a ratio may be above the expected one.
const TOLERANCE: f64 = 0.02;

pub(super) const CALLGRIND: [&str; 2] = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
const DHAT: [&str; 2] = ["--tool=dhat", "--dhat-out-file=/dev/null"];

impl Bench {
    /// Returns the table of a comparison. A ratio above its limit fails the whole run in the end. With
    /// `--check`, allocations are not counted.
    pub(super) fn compare(&mut self, comparison: &Comparison) -> Result<String> {
        let (case, name) = comparison.peer;
        let (peer, blocks) = self.cost(case, comparison.times)?;
        let mut table = format!(
            "| {} | instructions | ratio | allocations |\n| --- | ---: | ---: | ---: |\n\
             | {name} | {} | | {} |\n",
            comparison.title,
            number(peer),
            number(blocks)
        );
        for (case, name, expected) in comparison.ours {
            let (ours, blocks) = self.cost(case, comparison.times)?;
            let ratio = ours / peer;
            let (ours, blocks) = (number(ours), number(blocks));
            writeln!(table, "| {name} | {ours} | {ratio:.3} | {blocks} |")?;
            if ratio > expected * (1.0 + TOLERANCE) {
                self.exceeded.push(format!(
                    "{case}: {ratio:.3} times the peer's instructions, expected {expected}"
                ));
            }
        }
        Ok(table + "\n")
    }

    /// Returns the instructions and the allocations of one unit of a case's work.
    fn cost(&self, case: &str, times: u64) -> Result<(f64, f64)> {
        let of = |options, total: fn(&str) -> Option<f64>| {
            let ((few, cheap), (many, expensive)) = (
                self.counted(options, case, times, total)?,
                self.counted(options, case, 2 * times, total)?,
            );
            Ok::<_, anyhow::Error>((expensive - cheap) / (many - few))
        };
        let blocks = match self.check {
            true => 0.0,
            false => of(DHAT, blocks)?,
        };
        Ok((of(CALLGRIND, instructions)?, blocks))
    }

    /// Returns the peak of the heap of a case, in bytes. With the least size, it is that of the program.
    pub(super) fn peak(&self, case: &str, times: u64) -> Result<f64> {
        Ok(self.counted(DHAT, case, times, peak)?.1)
    }

    /// Runs a case by valgrind. Returns the number of units of its work, and valgrind's total.
    fn counted(
        &self,
        options: [&str; 2],
        case: &str,
        times: u64,
        total: fn(&str) -> Option<f64>,
    ) -> Result<(f64, f64)> {
        let mut command = Command::new(tool::debian("valgrind", &["valgrind"])?);
        command.args(options).arg(self.program());
        command.args(case.split(' ')).arg(times.to_string());
        let limit = Duration::from_secs(300);
        let ended = process::run(&mut command, &self.folder, limit)?;
        let ended = ended.success().with_context(|| case.to_owned())?;
        let units = figures(&ended.stdout).get("units").copied();
        let total = total(&ended.stderr);
        units
            .zip(total)
            .with_context(|| format!("{case}: no total"))
    }
}

/// The total of callgrind.
pub(super) fn instructions(output: &str) -> Option<f64> {
    parse(after(output, "Collected :")?)
}

/// The blocks that dhat has seen.
fn blocks(output: &str) -> Option<f64> {
    parse(after(output, "Total:")?.split_once(" bytes in ")?.1)
}

/// The bytes of the heap when it was largest, by dhat.
fn peak(output: &str) -> Option<f64> {
    parse(after(output, "At t-gmax:")?)
}

fn after<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    output
        .lines()
        .find_map(|line| Some(line.split_once(name)?.1))
}

fn parse(text: &str) -> Option<f64> {
    let number = text.split_whitespace().next()?;
    number.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_both_tools_are_read() {
        let callgrind = "==7== \n==7== Collected : 4835292\n==7== I   refs: 4,835,292\n";
        assert_eq!(instructions(callgrind), Some(4_835_292.0));
        let dhat = "==7== Total:     1,234,567 bytes in 8,901 blocks\n\
                    ==7== At t-gmax: 2,345 bytes in 6 blocks\n";
        assert_eq!(blocks(dhat), Some(8_901.0));
        assert_eq!(peak(dhat), Some(2_345.0));
        assert_eq!(peak("valgrind: cannot run"), None);
    }
}
