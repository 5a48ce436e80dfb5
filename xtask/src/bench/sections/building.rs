//! What building a dependent costs, beside a program with reqwest alone: the programs in
//! `bench/programs`.

use std::fs;

use anyhow::Result;

use super::Bench;
use crate::bench::times::{Column, Program, table};
use crate::root;

const WALL: Column = Column("wall, s", |spent| spent.wall);
const CPU: Column = Column("CPU, s", |spent| spent.cpu);
const CRATES: Column = Column("crates", |spent| spent.figures["crates"]);

const PROGRAMS: [(&str, &str); 2] = [
    ("reqwest", "reqwest with the same features"),
    ("client", "`checksum-api-ext`, with its build script"),
];

/// Not with `--check`: it takes minutes.
pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    if bench.check {
        return Ok(String::new());
    }
    // The versions of the workspace.
    let programs = root().join("bench/programs");
    fs::copy(root().join("Cargo.lock"), programs.join("Cargo.lock"))?;
    let build = |before: &str, after: &str| {
        PROGRAMS.map(|(program, name)| {
            let target = bench.folder.join(program);
            let line = format!(
                "cd {} && export CARGO_TARGET_DIR={} && {before} \
                 && cargo build --quiet --offline --package program-{program} && {after}",
                programs.display(),
                target.display()
            )
            .replace("PROGRAM", program);
            Program::shell(name, &line)
        })
    };
    let crates = "echo crates $(ls $CARGO_TARGET_DIR/debug/deps/*.d | wc -l)";
    let cold = build("rm -rf $CARGO_TARGET_DIR", crates);
    // Once: it takes minutes, and the processor time hardly differs from one build to the next.
    let cold = bench.interleaved(1, &cold)?;
    let again = build("touch PROGRAM/src/main.rs", "true");
    let again = bench.interleaved(11, &again)?;
    let mut figures = table("The first build", &cold, &[WALL, CPU, CRATES])?;
    figures += &table("After a change of `main.rs`", &again, &[WALL, CPU])?;
    Ok(figures)
}
