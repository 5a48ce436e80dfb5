//! What the mock server costs, beside wiremock.

use std::process::Command;

use anyhow::Result;

use super::Bench;
use crate::bench::times::{Column, Program, table};
use crate::root;

const ROUNDS: usize = 11;

const RATE: Column = Column("requests/s", |spent| {
    spent.figures.get("per-second").copied().unwrap_or_default()
});

const CPU: Column = Column("server CPU, µs a request", |spent| {
    spent
        .figures
        .get("microseconds")
        .copied()
        .unwrap_or_default()
});

/// Measures nothing with `--check`: the tests of the mock server are in the gate, and wiremock would have
/// to be built as it is released.
pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    if bench.check {
        return Ok(String::new());
    }
    bench.build_release(&["-p", "checksum-bench", "--example", "servers"])?;
    let server = |name: &str, kind: &'static str| {
        Program::new(name, move || {
            let mut command = Command::new(root().join("target/debug/examples/servers"));
            command.arg(kind);
            command
        })
    };
    let programs = [
        server("wiremock, a fixed response", "wiremock"),
        server("`checksum-mock`", "mock"),
    ];
    let measured = bench.interleaved(ROUNDS, &programs)?;
    let title = "The status of a run, to 16 connections, with one thread";
    table(title, &measured, &[RATE, CPU])
}
