//! What a call costs.

use anyhow::Result;

use super::Bench;
use crate::bench::instructions::Comparison;

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    bench.compare(&Comparison {
        title: "The status of a run, on a warm connection",
        peer: ("calls status-peer", "hand-written, with reqwest and serde"),
        ours: &[
            ("calls status", "`checksum-api`", 0.995),
            ("calls status-ext", "`checksum-api-ext`", 1.015),
        ],
        times: 100,
    })
}
