//! Checks the document with Redocly, with a validator of OpenAPI, and with oasdiff.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{DOCUMENT, Workspace};
use crate::diff::is_breaking;
use crate::document::PATH;
use crate::root;

const RULES: &str = "openapi/redocly.yaml";

/// A text of the document, and a replacement that makes the document invalid.
type Mistake = (&'static str, &'static str);

/// A mistake for each rule that we wrote. Redocly's own rules are tested by Redocly.
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

/// A mistake that the schema of OpenAPI does not allow.
const INVALID: Mistake = ("in: path", "in: nowhere");

/// A change that breaks clients: a field of a request becomes required.
const BREAKING: Mistake = ("required: [testIds]", "required: [testIds, autoHeal]");

/// Redocly, on the document and on the workflows, with the rules of `openapi/redocly.yaml`.
pub(super) fn redocly() -> Result<String> {
    let workspace = Workspace::new("redocly")?;
    let lint = format!("redocly lint --config ../../../../{RULES}");
    workspace.npm(&lint)?.success()?;

    let mistakes: Vec<Mistake> = MISTAKES.iter().map(|(_, mistake)| *mistake).collect();
    let wrong = workspace.write_with_mistakes(&mistakes)?;
    let ended = workspace.npm(&format!("{lint} {wrong} --format=json --max-problems=1000"))?;
    let report: Value = serde_json::from_str(&ended.stdout).with_context(|| ended.tail())?;
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

/// Validates the document against the schema of OpenAPI 3.0, and what that schema cannot express:
/// references, names of parameters, defaults.
pub(super) fn spec_validator() -> Result<String> {
    let workspace = Workspace::new("spec-validator")?;
    let validate = "openapi-spec-validator --validation-errors=all --schema=3.0";
    workspace
        .python(&format!("{validate} {DOCUMENT}"))?
        .success()?;
    let wrong = workspace.write_with_mistakes(&[INVALID])?;
    workspace
        .python(&format!("{validate} {wrong}"))?
        .rejected(INVALID.1)?;
    Ok("valid; 1 mistake found".to_owned())
}

/// oasdiff, which decides for `cargo xtask diff` what breaks clients.
pub(super) fn oasdiff() -> Result<String> {
    let workspace = Workspace::new("oasdiff")?;
    let document = root().join(PATH);
    ensure!(!is_breaking(&document, &document)?, "nothing has changed");
    let changed = workspace
        .0
        .join(workspace.write_with_mistakes(&[BREAKING])?);
    ensure!(
        is_breaking(&document, &changed)?,
        "negative control: `{}` breaks nobody",
        BREAKING.1
    );
    Ok("1 mistake found".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_ours_has_a_mistake() {
        let rules = std::fs::read_to_string(root().join(RULES)).expect("the rules");
        let rules: Value = serde_saphyr::from_str(&rules).expect("YAML");
        let rules = rules["rules"].as_object().expect("rules").keys();
        let ours: BTreeSet<&str> = rules
            .filter_map(|rule| rule.strip_prefix("rule/"))
            .collect();
        assert_eq!(ours, MISTAKES.iter().map(|(rule, _)| *rule).collect());
    }
}
