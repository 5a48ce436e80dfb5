//! What a set of watched runs costs: instructions of a poll, memory, and how both grow; and how late the
//! ends of many runs are noticed.

use std::fmt::Write as _;

use anyhow::Result;

use super::Bench;
use crate::bench::growth::{Growth, LEAST};
use crate::bench::instructions::Comparison;
use crate::bench::number;

/// The limits of the memory of a watched run: in bytes, and as a ratio to a task that polls it.
const BYTES: f64 = 256.0;
const SHARE: f64 = 0.09;

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let mut figures = bench.compare(&Comparison {
        title: "One poll of a set of 50 runs, without a socket",
        peer: (
            "watching poll-peer",
            "a task for each run, with `checksum-api`",
        ),
        ours: &[("watching poll", "`checksum-api-ext`", 1.15)],
        times: 500,
    })?;
    figures += &memory(bench)?;
    figures += &lag(bench)?;
    figures += &growth(bench)?;
    Ok(figures)
}

/// The peak of the heap once each run has been polled.
fn memory(bench: &mut Bench) -> Result<String> {
    let runs = bench.size(10_000, 1_000);
    let bytes = |case| {
        let peak = bench.peak(case, runs)? - bench.peak(case, 1)?;
        Ok::<_, anyhow::Error>(peak / runs as f64)
    };
    let (peer, ours) = (bytes("watching hold-peer")?, bytes("watching hold")?);
    let ratio = ours / peer;
    if ours > BYTES || ratio > SHARE {
        let exceeded = format!("watching hold: {ours:.0} bytes for each run, {ratio:.3} of a task");
        bench.exceeded.push(exceeded);
    }
    let heading = format!("{} watched runs", number(runs as f64));
    Ok(format!(
        "| {heading} | bytes each | ratio |\n| --- | ---: | ---: |\n\
         | a task for each run, with `checksum-api` | {peer:.0} | |\n\
         | `checksum-api-ext` | {ours:.0} | {ratio:.3} |\n\n"
    ))
}

/// The lag of ends under the default limit of 25 requests a second.
fn lag(bench: &Bench) -> Result<String> {
    const ORDERS: [(&str, &str); 3] = [
        ("in turn", "turn"),
        ("by `PollPolicy::default`", "default"),
        ("by `PollPolicy::expecting`", "expecting"),
    ];
    let runs = bench.size(10_000, 200);
    let heading = format!("{} runs at 25 requests a second", number(f64::from(runs)));
    let mut table = format!(
        "| {heading} | order of polls | mean lag, s | 95%, s |\n| --- | --- | ---: | ---: |\n"
    );
    for (lengths, length) in [
        ("5 to 25 minutes", "uniform"),
        ("8 minutes, spread 0.15", "known"),
    ] {
        for starts in ["together", "steadily"] {
            for (name, order) in ORDERS {
                if (length, order) == ("uniform", "expecting") {
                    continue;
                }
                let program = bench.case(name, &format!("lag {starts}-{length}-{order} {runs}"));
                let measured = bench.interleaved(1, &[program])?;
                let figures = &measured[0].runs[0].figures;
                writeln!(
                    table,
                    "| {lengths}, started {starts} | {name} | {:.0} | {:.0} |",
                    figures["lag"], figures["lag-95"]
                )?;
            }
        }
    }
    Ok(table + "\n")
}

fn growth(bench: &Bench) -> Result<String> {
    let sizes: Vec<u64> = bench.size(vec![10, 100, 1_000, 10_000, 100_000], vec![10, 100]);
    let (mut bytes, mut time) = (Vec::new(), Vec::new());
    let least = bench.peak("watching hold", 1)?;
    for runs in &sizes {
        bytes.push((bench.peak("watching hold", *runs)? - least) / *runs as f64);
        let case = bench.case("a set", &format!("watching grow {runs}"));
        let spent = &bench.interleaved(1, &[case])?[0].runs[0];
        time.push((spent.cpu * 1e6 / spent.figures["units"]).max(LEAST));
    }
    bench.growth(&Growth {
        title: "Cost of a watched run by the size of its set",
        name: "watching",
        of: "runs",
        value: "bytes for each run, and µs of CPU for each poll",
        sizes,
        series: vec![
            ("bytes for each run".to_owned(), bytes),
            ("µs of CPU for each poll".to_owned(), time),
        ],
    })
}
