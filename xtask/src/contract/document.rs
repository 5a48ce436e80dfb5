//! The document alone: by a linter and a validator.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Checked, DOCUMENT, run_tool, workspace};
use crate::diff::is_breaking;
use crate::document::Document;
use crate::root;
use crate::tool::{REDOCLY, SPEC_VALIDATOR};

const RULES: &str = "openapi/redocly.yaml";

/// The names that `openapi/redocly.yaml` gives to what it lints.
const LINTED: [&str; 2] = ["checksum", "workflows"];

const LIMIT: Duration = Duration::from_secs(60);

/// A text of the document, and what to put in its place to make it wrong.
type Mistake = (&'static str, &'static str);

/// Each breaks one of the rules that we wrote, by name. That Redocly's own rules work is Redocly's
/// business.
const MISTAKES: &[(&str, Mistake)] = &[
    (
        "rule/operation-id-in-snake-case",
        ("operationId: run_tests", "operationId: runTests"),
    ),
    ("rule/every-operation-can-fail", ("'503':", "'599':")),
    (
        "rule/bodies-have-examples",
        ("              examples:\n", "              x-examples:\n"),
    ),
    (
        "rule/parameters-have-examples",
        ("          example: 20\n", ""),
    ),
    (
        "rule/schemas-have-descriptions",
        ("      description: Identifies a test in all runs.\n", ""),
    ),
    (
        "rule/fields-have-descriptions",
        ("          description: The id of the project.\n", ""),
    ),
    (
        "rule/path-parameters-are-identifiers",
        ("      minLength: 1\n", ""),
    ),
    (
        "rule/formats-that-tools-know",
        ("format: int64", "format: uint64"),
    ),
];

/// What the schema of OpenAPI does not allow.
const INVALID: Mistake = ("in: path", "in: nowhere");

/// Changes that break somebody.
const BREAKING: &[Mistake] = &[
    ("required: [testIds]", "required: [testIds, autoHeal]"),
    (
        "required: [batchId, sessionId, links]",
        "required: [sessionId, links]",
    ),
];

/// Redocly's recommended rules, some of its others, and those that we wrote as its assertions.
/// Warnings count.
pub(super) fn redocly() -> Result<Checked> {
    for name in LINTED {
        let problems = lint(name)?;
        ensure!(problems.is_empty(), "{name}: {:#}", Value::from(problems));
    }
    let stats = run_tool(REDOCLY, &["stats", DOCUMENT, "--format=json"], LIMIT)?;
    let stats: Value = serde_json::from_str(&stats.stdout).context(stats.tail())?;
    let total = |name: &str| stats[name]["total"].as_u64().context("no statistics");
    let (operations, schemas) = (total("operations")?, total("schemas")?);
    ensure!(operations > 0, "it has seen no operation");

    let mistakes: Vec<Mistake> = MISTAKES.iter().map(|(_, mistake)| *mistake).collect();
    let found = lint(&with_mistakes(&mistakes)?)?;
    let found: BTreeSet<&str> = found.iter().filter_map(|p| p["ruleId"].as_str()).collect();
    for (rule, _) in MISTAKES {
        ensure!(
            found.contains(rule),
            "negative control: nothing broke {rule}, only {found:?}"
        );
    }
    Ok(Checked(format!(
        "{operations} operations, {schemas} schemas, {} files: 0 problems; {} mistakes found",
        LINTED.len(),
        MISTAKES.len()
    )))
}

/// Returns the problems of a document, errors and warnings alike.
fn lint(document: &str) -> Result<Vec<Value>> {
    let rules = ["--config", RULES];
    let form = ["--format=json", "--max-problems=1000"];
    let arguments = [&["lint", document][..], &rules, &form].concat();
    let ended = run_tool(REDOCLY, &arguments, LIMIT)?;
    let mut report: Value = serde_json::from_str(&ended.stdout).context(ended.tail())?;
    match report["problems"].take() {
        Value::Array(problems) => Ok(problems),
        other => anyhow::bail!("Redocly has no list of problems: {other}"),
    }
}

/// The schema of OpenAPI 3.0, and what it cannot say: references, names of parameters, defaults.
pub(super) fn spec_validator() -> Result<Checked> {
    let validate = |document: &str| {
        let arguments = ["--validation-errors=all", "--schema=3.0", document];
        run_tool(SPEC_VALIDATOR, &arguments, LIMIT)
    };
    let ended = validate(DOCUMENT)?;
    ensure!(ended.status.success(), "{}", ended.tail());
    let ended = validate(&with_mistakes(&[INVALID])?)?;
    ensure!(
        ended.status.code() == Some(1),
        "negative control: an invalid document passed: {}",
        ended.tail()
    );
    Ok(Checked("1 document: valid; 1 mistake found".to_owned()))
}

/// oasdiff finds nothing where nothing changed.
///
/// Negative control: it has to find that an optional field of a request is required now, and that a
/// field of a response is gone.
pub(super) fn oasdiff() -> Result<Checked> {
    let document = root().join(DOCUMENT);
    ensure!(!is_breaking(&document, &document)?, "nothing has changed");
    for mistake in BREAKING {
        let changed = with_mistakes(&[*mistake])?;
        ensure!(
            is_breaking(&document, Path::new(&changed))?,
            "negative control: `{}` breaks nobody",
            mistake.1
        );
    }
    Ok(Checked(format!("{} mistakes found", BREAKING.len())))
}

/// Writes the document with mistakes in it, and returns the path of the file.
fn with_mistakes(mistakes: &[Mistake]) -> Result<String> {
    let mut text = Document::current()?.text().to_owned();
    for (from, to) in mistakes {
        ensure!(
            text.contains(from),
            "`{from}` is not in {DOCUMENT} any more"
        );
        text = text.replacen(from, to, 1);
    }
    let path = workspace("mistakes")?.join("checksum.yaml");
    fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_ours_has_a_mistake() {
        let rules = fs::read_to_string(root().join(RULES)).expect("the rules");
        let rules: Value = serde_saphyr::from_str(&rules).expect("YAML");
        let rules = rules["rules"].as_object().expect("rules").keys();
        let ours: BTreeSet<&str> = rules
            .filter(|rule| rule.starts_with("rule/"))
            .map(String::as_str)
            .collect();
        assert_eq!(ours, MISTAKES.iter().map(|(rule, _)| *rule).collect());
    }

    #[test]
    fn mistakes_can_still_be_made() {
        let text = Document::current().expect("the document").text().to_owned();
        for (from, _) in MISTAKES
            .iter()
            .map(|(_, mistake)| mistake)
            .chain(BREAKING)
            .chain([&INVALID])
        {
            assert!(text.contains(from), "`{from}`");
        }
    }
}
