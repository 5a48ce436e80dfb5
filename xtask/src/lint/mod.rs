//! The document against the generator, the rules of this workspace, and linters that nobody here
//! wrote.

mod operations;
mod order;
mod provenance;
mod rule;
mod schemas;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rule::RULES;

use crate::document::{self, Document};
use crate::{generation, root};

const DOCUMENT: &str = document::PATH;

/// Pinned, so that a new rule comes when somebody looks.
const REDOCLY: &str = "@redocly/cli@2.77.0";
const SPEC_VALIDATOR: &str = "openapi-spec-validator==0.9.0";

/// Checks the document, and names every place that breaks a rule.
pub(crate) fn run() -> Result<()> {
    let document = Document::current()?;
    if let Err(error) = generation::generate(document.text()) {
        bail!("{DOCUMENT}: {error}");
    }
    eprintln!("generator: it compiles");

    let findings = rule::findings(&document);
    for finding in &findings {
        eprintln!("{DOCUMENT}{finding}");
    }
    for rule in RULES
        .iter()
        .filter(|rule| findings.iter().any(|f| f.rule == rule.name))
    {
        eprintln!("{}: {}", rule.name, rule.reason);
    }
    ensure!(
        findings.is_empty(),
        "{DOCUMENT} breaks a rule in {} places",
        findings.len()
    );
    eprintln!("rules of this workspace: {} kept", RULES.len());

    let cache = root().join("target/xtask");
    redocly(&cache)?;
    spec_validator(&cache)
}

/// The rules, for people.
pub(crate) fn list() {
    for rule in RULES {
        eprintln!("{}\n    {}", rule.name, rule.reason);
    }
}

fn redocly(cache: &Path) -> Result<()> {
    let prefix = cache.join("redocly");
    let program = prefix.join("node_modules/.bin/redocly");
    if !program.exists() {
        fs::create_dir_all(&prefix)?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-fund", "--no-audit", "--prefix"]);
        execute(install.arg(&prefix).arg(REDOCLY), "Node.js with npm")?;
    }
    let mut lint = Command::new(program);
    lint.args(["lint", DOCUMENT, "--max-problems=1000"])
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    execute(&mut lint, "Redocly")
}

fn spec_validator(cache: &Path) -> Result<()> {
    let environment = cache.join("spec-validator");
    let program = environment.join("bin/openapi-spec-validator");
    if !program.exists() {
        let mut create = Command::new("python3");
        execute(
            create.args(["-m", "venv"]).arg(&environment),
            "Python 3 with venv",
        )?;
        let mut install = Command::new(environment.join("bin/pip"));
        execute(install.args(["install", "--quiet", SPEC_VALIDATOR]), "pip")?;
    }
    execute(
        Command::new(program).arg(DOCUMENT),
        "openapi-spec-validator",
    )
}

fn execute(command: &mut Command, needed: &str) -> Result<()> {
    let status = command
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {:?}; it needs {needed}", command.get_program()))?;
    ensure!(status.success(), "{needed}: {status}");
    Ok(())
}

#[cfg(test)]
mod tests;
