//! The linters and the validator. Each is also shown a document with mistakes, which it has to
//! find: a check that cannot fail would say nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::document::{Document, PATH};
use crate::root;
use crate::tool::{Registry, Tool};

pub(super) const REDOCLY: Tool = Tool {
    package: "@redocly/cli",
    version: "2.77.0",
    program: "redocly",
    registry: Registry::Npm,
};

pub(super) const SPECTRAL: Tool = Tool {
    package: "@stoplight/spectral-cli",
    version: "6.16.3",
    program: "spectral",
    registry: Registry::Npm,
};

pub(super) const SPEC_VALIDATOR: Tool = Tool {
    package: "openapi-spec-validator",
    version: "0.9.0",
    program: "openapi-spec-validator",
    registry: Registry::PyPi,
};

const LIMIT: Duration = Duration::from_secs(120);

/// Where the document with mistakes is put.
const BROKEN: &str = "target/xtask/broken.yaml";

/// Mistakes, each with the rule of Redocly's that has to find it.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "operation-operationId",
        "      operationId: get_project\n",
        "",
    ),
    (
        "operation-operationId-unique",
        "operationId: run_tests",
        "operationId: run_suite",
    ),
    ("operation-summary", "      summary: Run chosen tests\n", ""),
    (
        "operation-description",
        "      description: |\n        Starts a run of all tests that the collection holds.",
        "      x-description: |\n        Starts a run of all tests that the collection holds.",
    ),
    (
        "parameter-description",
        "          description: The collection to run.\n",
        "",
    ),
    (
        "tag-description",
        "    description: The project that an API key belongs to.\n",
        "",
    ),
    (
        "no-unresolved-refs",
        "$ref: '#/components/schemas/Verdict'",
        "$ref: '#/components/schemas/Gone'",
    ),
    (
        "no-invalid-media-type-examples",
        "                    failed: 2\n",
        "                    failed: two\n",
    ),
    (
        "no-invalid-schema-examples",
        "      example: 42\n",
        "      example: none\n",
    ),
    (
        "no-invalid-parameter-examples",
        "          example: 20\n",
        "          example: twenty\n",
    ),
    (
        "no-unused-components",
        "    PrNumber:\n",
        "    Unused:\n      type: string\n      description: Nobody refers to it.\n    PrNumber:\n",
    ),
    (
        "path-declaration-must-exist",
        "/v1/auto-heal:",
        "/v1/auto-heal/{}:",
    ),
    (
        "operation-tag-defined",
        "tags: [Generation]",
        "tags: [Unheard]",
    ),
];

pub(super) fn redocly() -> Result<String> {
    let problems = redocly_problems(PATH)?;
    ensure!(problems.is_empty(), "{PATH}: {}", told(&problems, "ruleId"));
    write_broken(MISTAKES.iter().map(|(_, from, to)| (*from, *to)))?;
    let found = redocly_problems(BROKEN)?;
    let found: BTreeSet<&str> = found.iter().filter_map(|p| p["ruleId"].as_str()).collect();
    for (rule, ..) in MISTAKES {
        ensure!(
            found.contains(rule),
            "{rule} overlooks a mistake; found: {found:?}"
        );
    }
    Ok(format!(
        "{}, {} rules shown to work",
        subjects()?,
        MISTAKES.len()
    ))
}

fn redocly_problems(document: &str) -> Result<Vec<Value>> {
    let mut lint = REDOCLY.command()?;
    lint.args(["lint", document, "--config", "openapi/redocly.yaml"])
        .args(["--format", "json", "--max-problems", "1000"]);
    let output = REDOCLY.output(&mut lint, LIMIT)?;
    problems(&output.stdout, "problems")
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

pub(super) fn spectral() -> Result<String> {
    let found = spectral_results(PATH)?;
    ensure!(found.is_empty(), "{PATH}: {}", told(&found, "code"));
    let mistakes = MISTAKES
        .iter()
        .filter(|(rule, ..)| *rule != "no-unresolved-refs");
    write_broken(mistakes.map(|(_, from, to)| (*from, *to)))?;
    let found = spectral_results(BROKEN)?;
    let found: BTreeSet<&str> = found.iter().filter_map(|p| p["code"].as_str()).collect();
    for rule in SPECTRAL_RULES {
        ensure!(
            found.contains(rule),
            "{rule} overlooks a mistake; found: {found:?}"
        );
    }
    Ok(format!(
        "{}, {} rules shown to work",
        subjects()?,
        SPECTRAL_RULES.len()
    ))
}

/// The rules of Spectral's that find the same mistakes in their way.
const SPECTRAL_RULES: [&str; 7] = [
    "operation-operationId",
    "operation-operationId-unique",
    "operation-description",
    "operation-tag-defined",
    "oas3-valid-media-example",
    "oas3-valid-schema-example",
    "oas3-unused-component",
];

fn spectral_results(document: &str) -> Result<Vec<Value>> {
    let mut lint = SPECTRAL.command()?;
    lint.args(["lint", document, "--ruleset", "openapi/spectral.yaml"])
        .args(["--format", "json", "--quiet", "--fail-severity", "hint"]);
    let output = SPECTRAL.output(&mut lint, LIMIT)?;
    problems(&output.stdout, "")
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

pub(super) fn spec_validator() -> Result<String> {
    let valid = |document: &str| -> Result<(bool, String)> {
        let mut validate = SPEC_VALIDATOR.command()?;
        let output = SPEC_VALIDATOR.output(validate.arg(document), LIMIT)?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        Ok((output.status.success(), text))
    };
    let (is_valid, text) = valid(PATH)?;
    ensure!(is_valid && text.ends_with("OK"), "{PATH}: {text}");
    write_broken([(
        "  /v1/me:\n    get:\n",
        "  /v1/me:\n    get:\n      parameters: none\n",
    )])?;
    let (is_valid, text) = valid(BROKEN)?;
    ensure!(!is_valid, "a mistake was overlooked: {text}");
    subjects()
}

/// The list of problems in a JSON report.
fn problems(report: &[u8], member: &str) -> Result<Vec<Value>> {
    let report: Value = serde_json::from_slice(report).with_context(|| {
        let text = String::from_utf8_lossy(report);
        format!(
            "it gave no JSON, but `{}`",
            text.chars().take(300).collect::<String>()
        )
    })?;
    let list = match member {
        "" => report.as_array(),
        member => report[member].as_array(),
    };
    list.cloned().context("its report has no list of problems")
}

/// Problems for people: the rule, what it says, and where.
fn told(problems: &[Value], rule: &str) -> String {
    let line = |problem: &Value| {
        let place = match &problem["location"][0]["pointer"] {
            Value::String(pointer) => pointer.clone(),
            _ => problem["path"].to_string(),
        };
        let (rule, message) = (&problem[rule], &problem["message"]);
        format!(
            "\n  {}: {} ({place})",
            rule.as_str().unwrap_or_default(),
            message.as_str().unwrap_or_default()
        )
    };
    problems.iter().map(line).collect()
}

fn subjects() -> Result<String> {
    let document = Document::current()?;
    let operations = document.operations().count();
    let schemas = document.components("schemas").count();
    Ok(format!(
        "{operations} operations, {schemas} schemas, 0 problems"
    ))
}

fn write_broken<'a>(mistakes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let mut text = Document::current()?.text().to_owned();
    for (from, to) in mistakes {
        ensure!(text.contains(from), "`{from}` is not in {PATH} any more");
        text = text.replacen(from, to, 1);
    }
    let path = root().join(BROKEN);
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    fs::write(&path, text).context(BROKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_told() {
        let report = br##"{"totals":{"errors":1},"problems":[{"ruleId":"operation-summary",
            "message":"Operation object should contain `summary` field.",
            "location":[{"pointer":"#/paths/~1v1~1me/get/summary"}]}]}"##;
        let found = problems(report, "problems").expect("problems");
        assert_eq!(
            told(&found, "ruleId"),
            "\n  operation-summary: Operation object should contain `summary` field. \
             (#/paths/~1v1~1me/get/summary)"
        );
        assert_eq!(problems(b"[]", "").expect("none").len(), 0);
        let error = problems(b"Cannot find module", "problems").expect_err("no JSON");
        assert!(
            error.to_string().contains("`Cannot find module`"),
            "{error}"
        );
        assert!(problems(b"{}", "problems").is_err());
    }

    #[test]
    fn mistakes_can_still_be_made() {
        let text = Document::current().expect("the document").text().to_owned();
        for (rule, from, _) in MISTAKES {
            assert!(text.contains(from), "{rule}: `{from}`");
        }
    }
}
