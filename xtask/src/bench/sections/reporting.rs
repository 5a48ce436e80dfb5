//! What writing reports costs, and how it grows with the tests.

use anyhow::Result;

use super::Bench;
use super::decoding::{growth, sizes};
use crate::bench::times::Spent;

const CASES: [(&str, &str); 4] = [
    ("JUnit", "reporting junit"),
    ("CTRF", "reporting ctrf"),
    ("Markdown", "reporting markdown"),
    ("HTML", "reporting html"),
];

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let time = |spent: &Spent| spent.figures["processor"] * 1e3;
    let memory = |spent: &Spent| spent.figures["peak"] / 1e6;
    let sizes = sizes(bench);
    let time = growth(
        bench,
        ("Time to write reports", "reporting-time", "CPU, ms"),
        &sizes,
        &CASES,
        time,
    )?;
    let memory = growth(
        bench,
        ("Memory to write reports", "reporting-memory", "peak, MB"),
        &sizes,
        &CASES,
        memory,
    )?;
    Ok(time + &memory)
}
