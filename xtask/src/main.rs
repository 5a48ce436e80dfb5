//! Maintenance tasks of this workspace: `cargo xtask` lists them.

#![expect(clippy::print_stderr, reason = "a tool that talks to people")]

mod ci;
#[path = "../../checksum-api/build/compile/mod.rs"]
mod compile;
mod contract;
mod diff;
mod docs;
mod document;
mod drift;
mod generate;
mod lint;
mod process;
mod release;
mod snapshots;
mod surface;
mod tool;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};

use document::Document;

/// Maintenance tasks of this workspace.
///
/// The API is changed in one place, openapi/checksum.yaml. Then `diff` says what that means for
/// others, `lint` whether the document is sound, `generate` what follows from it, and `ci` whether
/// everything still holds.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write everything that follows from the document, and print what changed
    Generate {
        /// Write nothing; name each stale file and fail
        #[arg(long)]
        check: bool,
    },
    /// The document by the generator, the rules of this workspace, and other people's linters
    Lint {
        /// Only list the rules of this workspace, with their reasons
        #[arg(long)]
        rules: bool,
    },
    /// What changed in the document, and whether it breaks anybody
    Diff(DiffArguments),
    /// The document, the stand-in and the client, judged by tools that nobody here wrote
    Contract(contract::Arguments),
    /// Send read-only requests, and report where responses differ from the document
    ///
    /// Nothing is started or changed. It reads the project, the latest test run, its status,
    /// results and report, the attachments of its first test, the bugs and, with --job, the status
    /// of a run. What contradicts a documented part is a drift; what differs from any other part
    /// is a note. No value of a response is printed, except new values of enumerations that look
    /// like a word.
    Verify(drift::Arguments),
    /// The API reference as one HTML page
    Docs {
        /// Where the page goes
        #[arg(
            long,
            value_name = "FILE",
            default_value = "target/xtask/checksum-api.html"
        )]
        output: PathBuf,
    },
    /// What publishing needs, without publishing
    Release,
    /// Everything that the gate runs, with the seconds that each step takes
    Ci,
}

#[derive(clap::Args)]
struct DiffArguments {
    /// The older document: a git revision, or a file where two are compared
    #[arg(value_name = "REV|FILE", default_value = "HEAD")]
    old: String,
    /// The newer document, where it is not the one of the working tree
    #[arg(value_name = "FILE")]
    new: Option<PathBuf>,
    /// Exit with 1 where something breaks
    #[arg(long)]
    fail_on_breaking: bool,
    /// Another form than the one for a terminal
    #[arg(long, value_enum)]
    format: Option<diff::Format>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Generate { check } => generate::run(check),
        Task::Lint { rules: true } => {
            lint::list();
            Ok(())
        }
        Task::Lint { rules: false } => lint::run(),
        Task::Diff(arguments) => compare(&arguments),
        Task::Contract(arguments) => contract::run(&arguments),
        Task::Verify(arguments) => return drift::run(arguments),
        Task::Docs { output } => docs::run(&output),
        Task::Release => release::run(),
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

fn compare(arguments: &DiffArguments) -> Result<()> {
    let (old, new, title) = match &arguments.new {
        Some(new) => {
            let title = format!("{} → {}", arguments.old, new.display());
            let old = Document::file(Path::new(&arguments.old))?;
            (old, Document::file(new)?, title)
        }
        None => {
            let title = format!("{}: {} → working tree", document::PATH, arguments.old);
            (Document::at(&arguments.old)?, Document::current()?, title)
        }
    };
    let changes = diff::changes(&old, &new);
    let report = diff::report(&title, &changes, arguments.format);
    std::io::stdout().write_all(report.as_bytes())?;
    let breaking = |change: &&diff::Change| change.class == diff::Class::Breaking;
    let breaking = changes.iter().filter(breaking).count();
    ensure!(
        !arguments.fail_on_breaking || breaking == 0,
        "{breaking} breaking changes"
    );
    Ok(())
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}
