//! What a set of watched runs costs: instructions of a poll, memory, and how they grow.

use anyhow::Result;

use super::Bench;
use crate::bench::instructions::Comparison;

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    bench.compare(&Comparison {
        title: "One poll of a set of 50 runs, without a socket",
        peer: (
            "watching poll-peer",
            "a task for each run, with `checksum-api`",
        ),
        ours: &[("watching poll", "`checksum-api-ext`", 1.2)],
        times: 500,
    })
}
