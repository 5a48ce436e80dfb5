//! How late a policy learns of the end of a run, and how many requests it sends for that.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::Bench;
use crate::bench::number;

const RUNS: usize = 20_000;

/// What the table says, and the names of the policy and of the durations in `bench/src/policy.rs`.
const ROWS: [(&str, &str, &str); 10] = [
    ("5 to 25 minutes, every 10 s", "fixed", "uniform"),
    ("5 to 25 minutes, default", "default", "uniform"),
    ("the mix, every 10 s", "fixed", "mix"),
    ("the mix, default", "default", "mix"),
    ("8 minutes, default", "default", "8-minutes"),
    ("8 minutes, expected", "expecting-8-minutes", "8-minutes"),
    ("1 hour, default", "default", "1-hour"),
    ("2 hours, every 10 s", "fixed", "2-hours"),
    ("2 hours, default", "default", "2-hours"),
    ("2 hours, expected", "expecting-2-hours", "2-hours"),
];

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let runs = bench.size(RUNS, 20);
    let mut table = "| runs and policy | requests | lag, s | score |\n\
                     | --- | ---: | ---: | ---: |\n"
        .to_owned();
    for (name, policy, durations) in ROWS {
        let program = bench.case(name, &format!("policy {policy} {durations} {runs}"));
        let measured = bench.interleaved(1, &[program])?;
        let figures = &measured[0].runs[0].figures;
        write!(table, "| {name} |")?;
        for figure in ["requests", "lag", "score"] {
            let value = figures.get(figure).context(figure)?;
            write!(table, " {} |", number(*value))?;
        }
        table.push('\n');
    }
    Ok(table)
}
