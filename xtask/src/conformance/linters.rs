//! The document by Redocly, a validator of OpenAPI, and oasdiff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::diff::is_breaking;
use crate::document::{Document, PATH};
use crate::process::{self, Ended, empty_folder};
use crate::{root, tool};

const RULES: &str = "openapi/redocly.yaml";

const LIMIT: Duration = Duration::from_secs(60);

/// A text of the document, and what to put in its place to make the document wrong.
type Mistake = (&'static str, &'static str);

/// A mistake for each rule that we wrote. Whether Redocly's own rules work is Redocly's business.
const MISTAKES: &[(&str, Mistake)] = &[
    ("operation-id-in-snake-case", (": run_tests", ": runTests")),
    ("every-operation-can-fail", ("'503':", "'599':")),
    ("bodies-have-examples", ("      examples:\n", "      x:\n")),
    ("parameters-have-examples", ("example: 20\n", "x: 20\n")),
    (
        "schemas-have-descriptions",
        ("description: Identifies", "x:"),
    ),
    ("fields-have-descriptions", ("description: The id of", "x:")),
    (
        "path-parameters-are-identifiers",
        ("minLength: 1\n", "y: 1\n"),
    ),
    ("formats-that-tools-know", ("format: int64", "format: int")),
    ("provenance-is-known", (": observed\n", ": documented\n")),
];

/// What the schema of OpenAPI does not allow.
const INVALID: Mistake = ("in: path", "in: nowhere");

/// A change that breaks clients: a field of a request becomes required.
const BREAKING: Mistake = ("required: [testIds]", "required: [testIds, autoHeal]");

/// Redocly, on the document and on the workflows, with the rules of `openapi/redocly.yaml`.
pub(super) fn redocly() -> Result<String> {
    redocly_lint(&[])?.success()?;

    let mistakes: Vec<Mistake> = MISTAKES.iter().map(|(_, mistake)| *mistake).collect();
    let wrong = with_mistakes(&mistakes)?;
    let report = redocly_lint(&[
        &wrong.to_string_lossy(),
        "--format=json",
        "--max-problems=1000",
    ])?;
    let report: Value = serde_json::from_str(&report.stdout).with_context(|| report.tail())?;
    let problems = report["problems"].as_array().into_iter().flatten();
    let broken: BTreeSet<&str> = problems.filter_map(|p| p["ruleId"].as_str()).collect();
    for (rule, _) in MISTAKES {
        ensure!(
            broken.contains(format!("rule/{rule}").as_str()),
            "negative control: nothing broke {rule}, only {broken:?}"
        );
    }
    Ok(format!("0 problems; {} mistakes found", MISTAKES.len()))
}

fn redocly_lint(arguments: &[&str]) -> Result<Ended> {
    let mut lint = tool::npm("redocly")?;
    run(
        "redocly",
        lint.args(["lint", "--config", RULES]).args(arguments),
    )
}

/// The schema of OpenAPI 3.0, and what it cannot say: references, names of parameters, defaults.
pub(super) fn spec_validator() -> Result<String> {
    let validate = |document: &Path| {
        let mut validator = tool::python("openapi-spec-validator")?;
        validator.args(["--validation-errors=all", "--schema=3.0"]);
        run("openapi-spec-validator", validator.arg(document))
    };
    validate(Path::new(PATH))?.success()?;
    let ended = validate(&with_mistakes(&[INVALID])?)?;
    ensure!(
        ended.status.code() == Some(1),
        "negative control: an invalid document passed: {}",
        ended.tail()
    );
    Ok("valid; 1 mistake found".to_owned())
}

/// oasdiff, whose word `cargo xtask diff` takes for what breaks clients.
pub(super) fn oasdiff() -> Result<String> {
    let document = root().join(PATH);
    ensure!(!is_breaking(&document, &document)?, "nothing has changed");
    ensure!(
        is_breaking(&document, &with_mistakes(&[BREAKING])?)?,
        "negative control: `{}` breaks nobody",
        BREAKING.1
    );
    Ok("1 mistake found".to_owned())
}

fn run(name: &str, command: &mut Command) -> Result<Ended> {
    let folder = empty_folder(&format!("conformance/{name}"))?;
    process::run(name, command.current_dir(root()), &folder, LIMIT)
}

/// Writes the document with mistakes in it, and returns the path of the file.
fn with_mistakes(mistakes: &[Mistake]) -> Result<PathBuf> {
    let mut text = Document::current()?.text().to_owned();
    for (from, to) in mistakes {
        ensure!(text.contains(from), "`{from}` is not in {PATH} any more");
        text = text.replacen(from, to, 1);
    }
    let path = empty_folder("conformance/mistakes")?.join("checksum.yaml");
    fs::write(&path, text)?;
    Ok(path)
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
            .filter_map(|rule| rule.strip_prefix("rule/"))
            .collect();
        assert_eq!(ours, MISTAKES.iter().map(|(rule, _)| *rule).collect());
    }
}
