//! The document, the mock server and clients, judged by tools that nobody here wrote.
//!
//! Each check ends with a negative control: the tool has to reject something that is wrong.

mod document;
mod generators;
mod mock_process;
mod prism;
mod schemathesis;
mod workflows;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde_json::Value;

use crate::document::{Document, PATH as DOCUMENT};
use crate::tool::{
    DATAMODEL_CODEGEN, OASDIFF, OPENAPI_GENERATOR, OPENAPI_TYPESCRIPT, PRISM, REDOCLY,
    SCHEMATHESIS, SPEC_VALIDATOR, Tool,
};
use crate::{process, root};

/// Enough for a build of everything.
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// What to check.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Run only this check; repeat it for more than one
    #[arg(long, value_name = "CHECK")]
    only: Vec<Check>,
    /// Run also what is too slow for the gate
    #[arg(long, conflicts_with = "only")]
    all: bool,
}

/// One tool, and what it is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    Redocly,
    SpecValidator,
    Oasdiff,
    Schemathesis,
    Prism,
    Workflows,
    PythonClient,
    TypescriptClient,
    RustClient,
    TypescriptTypes,
    PydanticModels,
}

/// What a tool has found to be right, in its own counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked(pub(crate) String);

impl Check {
    fn tool(self) -> Tool {
        match self {
            Self::Redocly | Self::Workflows => REDOCLY,
            Self::SpecValidator => SPEC_VALIDATOR,
            Self::Oasdiff => OASDIFF,
            Self::Schemathesis => SCHEMATHESIS,
            Self::Prism => PRISM,
            Self::PythonClient | Self::TypescriptClient | Self::RustClient => OPENAPI_GENERATOR,
            Self::TypescriptTypes => OPENAPI_TYPESCRIPT,
            Self::PydanticModels => DATAMODEL_CODEGEN,
        }
    }

    fn run(self) -> Result<Checked> {
        match self {
            Self::Redocly => document::redocly(),
            Self::SpecValidator => document::spec_validator(),
            Self::Oasdiff => document::oasdiff(),
            Self::Schemathesis => schemathesis::check(),
            Self::Prism => prism::check(),
            Self::Workflows => workflows::check(),
            Self::PythonClient => generators::python_client(),
            Self::TypescriptClient => generators::typescript_client(),
            Self::RustClient => generators::rust_client(),
            Self::TypescriptTypes => generators::typescript_types(),
            Self::PydanticModels => generators::pydantic_models(),
        }
    }

    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it reads nothing but the document.
    fn reads_document_only(self) -> bool {
        matches!(self, Self::Redocly | Self::SpecValidator | Self::Oasdiff)
    }

    /// Whether it takes too long for the gate.
    fn is_slow(self) -> bool {
        matches!(self, Self::RustClient)
    }
}

/// Runs the checks.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let wanted = |check: &Check| match arguments.only.as_slice() {
        [] => arguments.all || !check.is_slow(),
        only => only.contains(check),
    };
    let checks = Check::value_variants().iter().copied();
    run_all(checks.filter(wanted).collect())
}

/// Runs the checks that read nothing but the document.
pub(crate) fn check_document() -> Result<()> {
    let checks = Check::value_variants().iter().copied();
    run_all(checks.filter(|check| check.reads_document_only()).collect())
}

/// Runs each check, also if one before it has failed, and ends with a table of what they found.
fn run_all(checks: Vec<Check>) -> Result<()> {
    if checks.iter().any(|check| !check.reads_document_only()) {
        build()?;
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["check", "tool", "version", "result", "seconds"]);
    let mut failed = Vec::new();
    for check in checks {
        let (name, tool) = (check.name(), check.tool());
        let version = tool.version()?;
        eprintln!("==> {name}: {} {version}", tool.program);
        // An installation is no part of the seconds.
        tool.command()?;
        let started = Instant::now();
        let outcome = check.run();
        let seconds = format!("{:.1}", started.elapsed().as_secs_f64());
        let result = match outcome {
            Ok(Checked(counts)) => counts,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                failed.push(name.clone());
                "FAILED, see above".to_owned()
            }
        };
        table.add_row([&name, tool.program, &version, &result, &seconds]);
    }
    eprintln!("{table}");
    ensure!(failed.is_empty(), "{} failed", failed.join(" and "));
    Ok(())
}

/// Builds the programs that the checks run, so that time limits are about the checks.
fn build() -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--quiet", "--locked"])
        .args(["-p", "checksum-mock", "--example", "serve"])
        .args(["-p", "checksum-tests", "--example", "drive"])
        .current_dir(root());
    let log = workspace("build")?.join("log.txt");
    let ended = process::run("cargo", &mut command, &log, BUILD_LIMIT)?;
    ensure!(
        ended.status.success(),
        "the programs to check do not build\n{}",
        ended.tail()
    );
    Ok(())
}

/// Returns the document, for checks that change it.
fn read_document() -> Result<Value> {
    Ok(Document::current()?.value().clone())
}

/// Returns the ids of the operations, in the order of the document.
fn operations() -> Result<Vec<String>> {
    let document = Document::current()?;
    let ids = document.operations().map(|operation| operation.id());
    Ok(ids.map(str::to_owned).collect())
}

/// Returns an empty folder for what a tool writes: files of an earlier run must not affect this one.
fn workspace(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/xtask/contract").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// `cargo run` of an example.
fn example(package: &str, name: &str) -> Command {
    let mut command = crate::tool::quiet(env!("CARGO"));
    command
        .args(["run", "--quiet", "--locked", "-p", package])
        .args(["--example", name, "--"])
        .current_dir(root());
    command
}

/// Runs a tool from the workspace's folder.
fn run_tool(tool: Tool, arguments: &[&str], limit: Duration) -> Result<process::Ended> {
    let log = workspace(&format!("{}-log", tool.program))?.join("log.txt");
    let mut command = tool.command()?;
    command.args(arguments).current_dir(root());
    process::run(tool.program, &mut command, &log, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_pinned_tool() {
        for check in Check::value_variants() {
            assert!(check.tool().version().is_ok(), "{}", check.name());
        }
    }
}
