//! A simulated week of runs, with faults and outages. The gate has a day of it as a test, `week`.

use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use crate::bench::number;
use crate::bench::times::Program;
use crate::root;

/// What the table says, and what the example prints.
const ROWS: [(&str, &str); 10] = [
    ("runs", "runs"),
    ("runs that ended as scripted", "right"),
    ("requests", "requests"),
    ("requests that failed by themselves", "faults"),
    ("mean lag without outages, s", "lag"),
    ("live bytes at midnight, day 1", "first-midnight"),
    ("live bytes at midnight, day 7", "last-midnight"),
    ("live bytes for a watched run, by night 7", "bytes-per-run"),
    (
        "highest requests/s in the hour before an outage",
        "peak-before",
    ),
    (
        "highest requests/s in the hour after an outage",
        "peak-after",
    ),
];

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    if bench.check {
        return Ok(String::new());
    }
    bench.build_release(&["-p", "checksum-tests", "--example", "week"])?;
    let example = root().join("target/debug/examples/week");
    let program = Program::new("week", move || Command::new(&example));
    let measured = bench.interleaved(1, &[program])?;
    let figures = &measured[0].runs[0].figures;
    let mut table = "| seven days, two outages of an hour | |\n| --- | ---: |\n".to_owned();
    for (row, figure) in ROWS {
        let value = figures.get(figure).context(figure)?;
        table += &format!("| {row} | {} |\n", number(*value));
    }
    Ok(table)
}
