//! Checks the document, the mock server, generated clients and reports with independent tools.
//!
//! Each check has a negative control: the tool has to reject something that is wrong.

mod actions;
mod generators;
mod linters;
mod mock_server;
mod page;
mod prism;
mod reports;
mod schemathesis;
mod workflows;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::builder::PossibleValuesParser;

use crate::document::Document;
use crate::process::{self, Ended, empty_folder};
use crate::tool;

/// The selection of checks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only this check; repeat it for more than one
    #[arg(long, value_name = "CHECK", value_parser = PossibleValuesParser::new(CHECKS.map(|check| check.name)))]
    only: Vec<String>,
    /// Also run the checks that are too slow for the gate
    #[arg(long, conflicts_with = "only")]
    all: bool,
}

/// One check: a tool, and its input.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    scope: Scope,
    /// Runs the tool, and returns a summary with the tool's own counts.
    run: fn() -> Result<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The check reads only the document. `cargo xtask lint` runs it too.
    Document,
    Gate,
    /// It takes too long for the gate.
    Slow,
}

const fn check(name: &'static str, scope: Scope, run: fn() -> Result<String>) -> Check {
    Check { name, scope, run }
}

const CHECKS: [Check; 14] = [
    check("redocly", Scope::Document, linters::redocly),
    check("spec-validator", Scope::Document, linters::spec_validator),
    check("oasdiff", Scope::Document, linters::oasdiff),
    check("schemathesis", Scope::Gate, schemathesis::check),
    check("prism", Scope::Gate, prism::check),
    check("workflows", Scope::Gate, workflows::check),
    check("reports", Scope::Gate, reports::check),
    check("actions", Scope::Gate, actions::check),
    check("page", Scope::Gate, page::check),
    check("python-client", Scope::Gate, generators::python_client),
    check(
        "typescript-client",
        Scope::Gate,
        generators::typescript_client,
    ),
    check("rust-client", Scope::Slow, generators::rust_client),
    check(
        "typescript-types",
        Scope::Gate,
        generators::typescript_types,
    ),
    check("pydantic-models", Scope::Gate, generators::pydantic_models),
];

/// Runs the checks that the arguments select.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    run_all(|check| {
        if arguments.only.is_empty() {
            arguments.all || check.scope != Scope::Slow
        } else {
            arguments.only.iter().any(|name| name == check.name)
        }
    })
}

/// Runs the checks that read nothing but the document.
pub(crate) fn check_document() -> Result<()> {
    run_all(|check| check.scope == Scope::Document)
}

/// Runs each selected check, also if one before it has failed.
fn run_all(is_selected: impl Fn(&Check) -> bool) -> Result<()> {
    let mut failed = Vec::new();
    for check in CHECKS.iter().filter(|check| is_selected(check)) {
        let started = Instant::now();
        let result = match (check.run)() {
            Ok(counts) => counts,
            Err(error) => {
                failed.push(check.name);
                format!("FAILED: {error:#}")
            }
        };
        eprintln!(
            "{} ({} s): {result}",
            check.name,
            started.elapsed().as_secs()
        );
    }
    ensure!(failed.is_empty(), "{} failed", failed.join(" and "));
    Ok(())
}

/// The document, from the folder of a check.
const DOCUMENT: &str = "../../../../openapi/checksum.yaml";

/// The time limit of one tool. Some tools run a build.
const LIMIT: Duration = Duration::from_secs(900);

/// The folder of one check, in which its tools run.
struct Workspace(PathBuf);

impl Workspace {
    /// Creates an empty folder.
    fn new(check: &str) -> Result<Self> {
        Ok(Self(empty_folder(&format!("conformance/{check}"))?))
    }

    /// Runs a program of the npm packages. The words of the line are its name and its arguments.
    fn npm(&self, line: &str) -> Result<Ended> {
        let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
        self.run(&mut tool::npm(program)?, arguments)
    }

    /// Runs a program of the Python packages, which can import modules from this folder.
    fn python(&self, line: &str) -> Result<Ended> {
        let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
        self.run(tool::python(program)?.env("PYTHONPATH", "."), arguments)
    }

    fn run(&self, command: &mut Command, arguments: &str) -> Result<Ended> {
        command.args(arguments.split_whitespace());
        process::run(command.current_dir(&self.0), &self.0, LIMIT)
    }

    fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.0.join(file)).context(file.to_owned())
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.0.join(file), text).context(file.to_owned())
    }

    /// Writes the document with mistakes in it, and returns the name of the file.
    fn write_with_mistakes(&self, mistakes: &[(&str, &str)]) -> Result<&'static str> {
        let mut text = Document::current()?.text().to_owned();
        for (from, to) in mistakes {
            ensure!(
                text.contains(from),
                "`{from}` is not in the document any more"
            );
            text = text.replacen(from, to, 1);
        }
        self.write("mistakes.yaml", &text)?;
        Ok("mistakes.yaml")
    }
}
