//! The document, the stand-in and the client, judged by tools that nobody here wrote.

mod document;
mod prism;
mod schemathesis;
mod stand_in;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde_json::Value;

use crate::document::PATH as DOCUMENT;
use crate::tool::{PRISM, REDOCLY, SCHEMATHESIS, SPEC_VALIDATOR, SPECTRAL, Tool};
use crate::{process, root};

/// Enough for a build of everything.
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// What to check.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only this tool; repeat it for more than one
    #[arg(long, value_name = "TOOL")]
    only: Vec<Judge>,
}

/// One that judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Judge {
    Redocly,
    Spectral,
    SpecValidator,
    Schemathesis,
    Prism,
}

/// What a tool has found to be right, in its own counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked(pub(crate) String);

impl Judge {
    fn tool(self) -> Tool {
        match self {
            Self::Redocly => REDOCLY,
            Self::Spectral => SPECTRAL,
            Self::SpecValidator => SPEC_VALIDATOR,
            Self::Schemathesis => SCHEMATHESIS,
            Self::Prism => PRISM,
        }
    }

    fn judge(self) -> Result<Checked> {
        match self {
            Self::Redocly => document::redocly(),
            Self::Spectral => document::spectral(),
            Self::SpecValidator => document::spec_validator(),
            Self::Schemathesis => schemathesis::judge(),
            Self::Prism => prism::judge(),
        }
    }

    /// Whether it looks at more than the document.
    fn needs_programs(self) -> bool {
        matches!(self, Self::Schemathesis | Self::Prism)
    }
}

/// Asks the tools, all unless some are chosen.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let asked = |judge: &Judge| arguments.only.is_empty() || arguments.only.contains(judge);
    ask(Judge::value_variants()
        .iter()
        .copied()
        .filter(asked)
        .collect())
}

/// Asks the tools that look at nothing but the document.
pub(crate) fn judge_document() -> Result<()> {
    let judges = Judge::value_variants().iter().copied();
    ask(judges.filter(|judge| !judge.needs_programs()).collect())
}

/// Asks each tool, also when one before it has failed, and ends with a table of what they say.
fn ask(judges: Vec<Judge>) -> Result<()> {
    if judges.iter().any(|judge| judge.needs_programs()) {
        build()?;
    }

    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["tool", "version", "checked", "seconds"]);
    let mut failed = Vec::new();
    for judge in judges {
        let tool = judge.tool();
        let started = Instant::now();
        eprintln!("==> {} {}", tool.program, tool.version);
        let outcome = judge.judge();
        let seconds = format!("{:.1}", started.elapsed().as_secs_f64());
        let checked = match outcome {
            Ok(Checked(counts)) => counts,
            Err(error) => {
                eprintln!("{}: {error:#}", tool.program);
                failed.push(tool.program);
                "FAILED, see above".to_owned()
            }
        };
        table.add_row([tool.program, tool.version, &checked, &seconds]);
    }
    eprintln!("{table}");
    ensure!(failed.is_empty(), "{} found fault", failed.join(" and "));
    Ok(())
}

/// Builds the programs that the judges look at, so that their time limits are about judging.
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
        "the programs to judge do not build\n{}",
        ended.tail()
    );
    Ok(())
}

/// The document, for judges that want a change of it.
fn read_document() -> Result<Value> {
    let yaml = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    serde_saphyr::from_str(&yaml).context(DOCUMENT)
}

/// A folder for what a tool writes, empty: what an earlier run learned is not to steer this one.
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

/// Runs a tool over the document, from the workspace's folder.
fn over_document(tool: Tool, arguments: &[&str], limit: Duration) -> Result<process::Ended> {
    let log = workspace(&format!("{}-log", tool.program))?.join("log.txt");
    let mut command = tool.command()?;
    command.args(arguments).current_dir(root());
    process::run(tool.program, &mut command, &log, limit)
}
