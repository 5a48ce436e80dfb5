//! Maintenance tasks of this workspace: `cargo xtask` lists them.

#![expect(clippy::print_stderr, reason = "a tool that talks to people")]

mod ci;
mod contract;
#[path = "../../checksum-api/build/generation.rs"]
mod generation;
mod lint;
mod process;
mod tool;

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
    /// The document, the stand-in and the client: by linters, Schemathesis and Prism
    Contract(contract::Arguments),
    /// The OpenAPI document: by the generator, Redocly and openapi-spec-validator
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Ci => ci::run(),
        Task::Contract(arguments) => contract::run(&arguments),
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
