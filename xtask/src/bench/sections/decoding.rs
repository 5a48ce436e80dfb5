//! What decoding results costs, in instructions, time and memory, and how it grows.

use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::Bench;
use crate::bench::growth::{Growth, LEAST};
use crate::bench::instructions::Comparison;
use crate::bench::times::{Column, Measured, Spent, table};

const ROUNDS: usize = 15;

/// The fields of a test that the client does not need: one of another type is dropped.
const FIELDS: [&str; 5] = [
    "errorMessage",
    "healthStatus",
    "tags",
    "testFilePath",
    "testTitle",
];

const DECODED: Column = Column("decoded after, ms", |spent| spent.figures["seconds"] * 1e3);
const CPU: Column = Column("CPU, ms", |spent| spent.figures["processor"] * 1e3);
const PEAK: Column = Column("peak over the body", over_body);

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let mut tables = bench.compare(&Comparison {
        title: "Decoding the results of 10,000 tests",
        peer: ("decoding results-peer", "hand-written structs"),
        ours: &[("decoding results", "`checksum-api`", 0.95)],
        times: 1,
    })?;
    let tests = bench.size(100_000, 5_000);
    for (title, case) in [
        ("over a socket, with `Content-Length`", "socket"),
        ("over a socket, in chunks", "chunked"),
        ("without a socket; the peak is without the body", "memory"),
    ] {
        let measured = bench.interleaved(
            ROUNDS,
            &[
                bench.case(
                    "reqwest and hand-written structs",
                    &format!("results {case}-peer {tests}"),
                ),
                bench.case("`checksum-api`", &format!("results {case} {tests}")),
            ],
        )?;
        let title = format!("The results of {tests} tests, {title}");
        tables += &table(&title, &measured, &[DECODED, CPU, PEAK])?;
    }
    writeln!(
        tables,
        "| The field of each test that is an object | peak over the body |\n| --- | ---: |"
    )?;
    for field in FIELDS {
        let case = bench.case(field, &format!("results socket {tests} {field}"));
        let peak = bench.interleaved(3, &[case])?[0].median(&PEAK);
        writeln!(tables, "| `{field}` | {peak:.2} |")?;
        ensure!(
            peak < 2.2 || bench.check,
            "{field}: the peak is {peak} times the body"
        );
    }
    tables.push('\n');
    let cases = [
        ("hand-written structs", "results socket-peer"),
        ("`checksum-api`", "results socket"),
    ];
    let sizes = sizes(bench);
    let time = ("Time to decode results", "decoding-time", "CPU, ms");
    tables += &growth(bench, time, &sizes, &cases, CPU.1)?;
    let memory = ("Memory to decode results", "decoding-memory", "peak, MB");
    tables += &growth(bench, memory, &sizes, &cases, |spent| {
        spent.figures["peak"] / 1e6
    })?;
    Ok(tables)
}

fn over_body(spent: &Spent) -> f64 {
    spent.figures["peak"] / spent.figures["body"]
}

/// Numbers of tests.
pub(super) fn sizes(bench: &Bench) -> Vec<u64> {
    bench.size(
        vec![100, 1_000, 10_000, 100_000, 1_000_000],
        vec![100, 1_000],
    )
}

/// Measures cases at each size. `names` are the title, the name of the file, and the unit.
pub(super) fn growth(
    bench: &Bench,
    (title, name, value): (&'static str, &'static str, &'static str),
    sizes: &[u64],
    cases: &[(&str, &str)],
    figure: fn(&Spent) -> f64,
) -> Result<String> {
    let figure = Column(value, figure);
    let mut series: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, case) in cases {
        let of_size = |size: &u64| {
            let program = bench.case(name, &format!("{case} {size}"));
            let measured: Vec<Measured> = bench.interleaved(5, &[program])?;
            Ok(measured[0].median(&figure).max(LEAST))
        };
        let values = sizes.iter().map(of_size).collect::<Result<_>>()?;
        series.push(((*name).to_owned(), values));
    }
    bench.growth(&Growth {
        title,
        name,
        of: "tests",
        value,
        sizes: sizes.to_vec(),
        series,
    })
}
