//! What decoding results costs, in instructions, time and memory, and how it grows.

use anyhow::Result;

use super::Bench;
use crate::bench::instructions::Comparison;

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    bench.compare(&Comparison {
        title: "Decoding the results of 10,000 tests",
        peer: ("decoding results-peer", "hand-written structs"),
        ours: &[("decoding results", "`checksum-api`", 0.982)],
        times: 1,
    })
}
