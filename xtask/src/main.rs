//! Maintenance tasks of this workspace: `cargo xtask` lists them.

#![expect(clippy::print_stderr, reason = "a tool that talks to people")]

mod ci;
#[path = "../../checksum-api/build/generation.rs"]
mod generation;
mod lint;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "no task calls it yet: `contract --recording` will"
    )
)]
mod recording;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Maintenance tasks of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that the gate runs: formatting, clippy, docs, build, tests
    Ci,
    /// The OpenAPI document: by the generator, Redocly and openapi-spec-validator
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Ci => ci::run(),
        Task::Lint => lint::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}
