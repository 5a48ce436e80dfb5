//! `bench`: counts the instructions and allocations of the cases in `bench/`, beside hand-written code
//! that does the same in the same run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{process, root, tool};

/// What is measured, and what it is compared with.
struct Comparison {
    title: &'static str,
    /// The case of the hand-written code, and what it is.
    peer: (&'static str, &'static str),
    /// The cases of this workspace, and the expected ratio of their instructions to the peer's.
    ours: &'static [(&'static str, &'static str, f64)],
    /// How many times a case does its work. It also runs twice as often, and the difference counts, so
    /// that neither the start nor the end of the program does.
    times: u64,
}

const COMPARISONS: &[Comparison] = &[
    Comparison {
        title: "The status of a run, on a warm connection",
        peer: ("status-peer", "hand-written, with reqwest and serde"),
        ours: &[
            ("status", "`checksum-api`", 1.01),
            ("status-ext", "`checksum-api-ext`", 1.036),
        ],
        times: 100,
    },
    Comparison {
        title: "Decoding the results of 10,000 tests",
        peer: ("decode-peer", "hand-written structs"),
        ours: &[("decode", "`checksum-api`", 0.982)],
        times: 1,
    },
    Comparison {
        title: "One poll of a set of 50 runs, without a socket",
        peer: ("poll-peer", "a task for each run, with `checksum-api`"),
        ours: &[("poll", "`checksum-api-ext`", 1.2)],
        times: 500,
    },
];

/// The lines of the file between which the figures are.
const BEGIN: &str = "<!-- The figures: cargo xtask bench -->\n";
const END: &str = "<!-- The end of the figures -->\n";

/// The settings of the release profile. The build is in the folder of the dev profile and leaves its
/// `build-override` as it is, so that it uses the crates that the gate has built for build scripts.
const RELEASE: [&str; 5] = [
    "opt-level=3",
    "debug-assertions=false",
    "build-override.debug-assertions=true",
    "overflow-checks=false",
    "build-override.overflow-checks=true",
];

/// How far a ratio may be above the expected one.
const TOLERANCE: f64 = 0.02;

const PROGRAM: &str = "target/debug/checksum-bench";

const COMMANDS: [&[&str]; 2] = [
    &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
    &["--tool=dhat", "--dhat-out-file=/dev/null"],
];

/// What one unit of work costs.
struct Cost {
    instructions: f64,
    allocations: f64,
}

/// Measures everything, and fails if a ratio is above the expected one. With `check`, it counts no
/// allocations and does not write `BENCHMARKS.md`.
pub(crate) fn run(check: bool) -> Result<()> {
    let folder = process::empty_folder("bench")?;
    let valgrind = tool::debian("valgrind", &["valgrind"])?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "-p", "checksum-bench"]);
    for setting in RELEASE {
        cargo.args(["--config", &format!("profile.dev.{setting}")]);
    }
    let status = cargo
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(root())
        .status()?;
    ensure!(
        status.success(),
        "the benchmarks cannot be built ({status})"
    );

    let mut table = String::new();
    let mut exceeded = Vec::new();
    for comparison in COMPARISONS {
        let (case, name) = comparison.peer;
        let measured =
            |case| Cost::of(case, comparison.times, check, &valgrind, &folder).context(case);
        let peer = measured(case)?;
        write!(
            table,
            "| {} | instructions | ratio | allocations |\n| --- | ---: | ---: | ---: |\n\
             | {name} | {:.0} | | {:.0} |\n",
            comparison.title, peer.instructions, peer.allocations,
        )?;
        for (case, name, expected) in comparison.ours {
            let ours = measured(case)?;
            let ratio = ours.instructions / peer.instructions;
            writeln!(
                table,
                "| {name} | {:.0} | {ratio:.3} | {:.0} |",
                ours.instructions, ours.allocations,
            )?;
            if ratio > expected * (1.0 + TOLERANCE) {
                exceeded.push(format!(
                    "{case}: {ratio:.3} times the peer's, expected {expected}"
                ));
            }
        }
        table.push('\n');
    }
    eprintln!("{table}");
    if !check {
        write(&table)?;
    }
    ensure!(exceeded.is_empty(), "too many instructions: {exceeded:?}");
    Ok(())
}

impl Cost {
    fn of(case: &str, times: u64, check: bool, valgrind: &Path, folder: &Path) -> Result<Self> {
        let one = |options: &[&str], times: u64| {
            let mut command = Command::new(valgrind);
            command.args(options).arg(root().join(PROGRAM));
            command.args([case, &times.to_string()]);
            let ended = process::run(&mut command, folder, Duration::from_secs(300))?.success()?;
            let units: f64 = ended.stdout.trim().parse().context("no number of units")?;
            Ok::<_, anyhow::Error>((units, total(&ended.stderr).context("no total")?))
        };
        let of = |options| {
            let ((few, cheap), (many, expensive)) =
                (one(options, times)?, one(options, 2 * times)?);
            Ok::<_, anyhow::Error>((expensive - cheap) / (many - few))
        };
        Ok(Self {
            instructions: of(COMMANDS[0])?,
            allocations: if check { f64::NAN } else { of(COMMANDS[1])? },
        })
    }
}

/// Returns the total that valgrind prints: callgrind's instructions, or dhat's blocks.
fn total(output: &str) -> Option<f64> {
    let line = |name| output.lines().find_map(|line| line.split_once(name));
    let number = match line("Collected :") {
        Some((_, instructions)) => instructions.trim(),
        None => line("Total:")?
            .1
            .split(" bytes in ")
            .nth(1)?
            .split(' ')
            .next()?,
    };
    number.replace(',', "").parse().ok()
}

fn write(table: &str) -> Result<()> {
    let file = root().join("BENCHMARKS.md");
    let text = fs::read_to_string(&file)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("no beginning of the figures")?;
    let (_, after) = rest.split_once(END).context("no end of the figures")?;
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output();
        let output = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        output.unwrap_or_default().trim().to_owned()
    };
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors
        .lines()
        .find(|line| line.starts_with("model name"));
    let processor = processor
        .and_then(|line| line.split_once(": "))
        .unwrap_or_default()
        .1;
    let machine = format!(
        "{} {}, {processor}; {}; {}.",
        std::env::consts::OS,
        std::env::consts::ARCH,
        version("rustc"),
        version("valgrind"),
    );
    let commands =
        COMMANDS.map(|options| format!("valgrind {} {PROGRAM} CASE TIMES\n", options.join(" ")));
    let figures = format!(
        "{BEGIN}{machine}\n\n```text\n{}```\n\n{table}{END}",
        commands.concat()
    );
    Ok(fs::write(file, format!("{before}{figures}{after}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_both_tools_are_read() {
        let callgrind = "==7== \n==7== Collected : 4835292\n==7== I   refs: 4,835,292\n";
        assert_eq!(total(callgrind), Some(4_835_292.0));
        let dhat = "==7== Total:     1,234,567 bytes in 8,901 blocks\n";
        assert_eq!(total(dhat), Some(8_901.0));
        assert_eq!(total("valgrind: cannot run"), None);
    }
}
