//! Maintenance tasks of this workspace: `cargo xtask` lists them.

#![expect(clippy::print_stderr, reason = "a tool that talks to people")]

mod bench;
mod ci;
#[expect(
    dead_code,
    reason = "the build script writes the table of operations as well"
)]
#[path = "../../checksum-api/build/compile/mod.rs"]
mod compile;
mod conformance;
mod deny;
mod diff;
mod dist;
mod document;
mod drift;
mod generate;
#[cfg(test)]
mod imports;
mod lint;
mod process;
mod release;
#[cfg(test)]
mod security;
mod soak;
mod surface;
mod tool;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Maintenance tasks of this workspace.
///
/// The API is changed in one place, openapi/checksum.yaml. After a change, `diff` prints what it
/// means for clients, `lint` checks the document, `generate` writes the files that are derived from
/// it, and `ci` runs every check.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the files that are derived from the document, and print what changed
    Generate {
        /// Write nothing; name each stale file and fail
        #[arg(long)]
        check: bool,
    },
    /// Check the document with the generator, with two rules of our own, and with linters
    Lint,
    /// Print what changed in the document since a revision
    Diff(diff::Arguments),
    /// Check the document, the mock server and generated clients with independent tools
    Conformance(conformance::Arguments),
    /// Send read-only requests, and report where responses differ from the document
    ///
    /// Nothing is started or changed. It reads the project, the latest test run, its status,
    /// results and report, the attachments of its first test, the bugs and, with --job, the status
    /// of a run. A response that contradicts a documented part is a drift; any other difference is
    /// a note. No value of a response is printed, except new values of enumerations that look like
    /// a word.
    Verify(drift::Arguments),
    /// Write the API reference as one HTML page, with Redocly
    Docs {
        /// The file to write
        #[arg(
            long,
            value_name = "FILE",
            default_value = "target/xtask/checksum-api.html"
        )]
        output: PathBuf,
    },
    /// Check the licences, the sources and the versions of the dependencies, with cargo-deny
    Deny,
    /// Make the release file of this machine's target in target/dist, and try it
    Dist,
    /// Check that the crates can be published, without publishing them
    Release,
    /// Measure what calls, decoding, waiting and the command cost, beside other programs that do the same
    ///
    /// It writes the figures and plots of BENCHMARKS.md, and fails if a ratio of instructions is above
    /// its limit. It needs valgrind, curl and jq, and installs Debian's packages if it may.
    Bench(bench::Arguments),
    /// Simulate crashes and faults in many schedules, each from a seed
    Soak(soak::Arguments),
    /// Run every check of the gate, and print how many seconds each takes
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Generate { check } => generate::run(check),
        Task::Lint => lint::run(),
        Task::Diff(arguments) => diff::run(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::Verify(arguments) => return drift::run(arguments),
        Task::Docs { output } => generate::docs(&output),
        Task::Deny => deny::run(),
        Task::Dist => dist::run(),
        Task::Release => release::run(),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Ci => ci::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}
