//! The document against the generator, the rules of this workspace, and linters that nobody here
//! wrote.

mod operations;
mod order;
mod provenance;
mod rule;
mod schemas;

use anyhow::{Result, bail, ensure};
use rule::RULES;

use crate::document::{self, Document};
use crate::{compile, contract};

const DOCUMENT: &str = document::PATH;

/// Checks the document, and names every place that breaks a rule.
pub(crate) fn run() -> Result<()> {
    let document = Document::current()?;
    if let Err(error) = compile::generate(document.text()) {
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

    contract::judge_document()
}

/// The rules, for people.
pub(crate) fn list() {
    for rule in RULES {
        eprintln!("{}\n    {}", rule.name, rule.reason);
    }
}

#[cfg(test)]
mod tests;
