//! The document alone: by linters and a validator.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Checked, DOCUMENT, over_document, workspace};
use crate::tool::{REDOCLY, SPEC_VALIDATOR, SPECTRAL};

const RULES_OF_SPECTRAL: &str = "openapi/.spectral.yaml";

const LIMIT: Duration = Duration::from_secs(60);

/// Redocly's recommended rules; warnings count.
pub(crate) fn redocly() -> Result<Checked> {
    let lint = ["lint", DOCUMENT, "--format=json", "--max-problems=1000"];
    let problems = over_document(REDOCLY, &lint, LIMIT)?;
    let statistics = over_document(REDOCLY, &["stats", DOCUMENT, "--format=json"], LIMIT)?;
    redocly_counts(&problems.said, &statistics.said)
        .with_context(|| format!("lint {}, stats {}", problems.status, statistics.status))
}

/// Every rule of Spectral, but for those that its rule set turns off with a reason.
pub(crate) fn spectral() -> Result<Checked> {
    let report = workspace("spectral")?.join("report.json");
    let report_argument = report.to_string_lossy();
    let arguments = [
        "lint",
        DOCUMENT,
        "--ruleset",
        RULES_OF_SPECTRAL,
        "--fail-severity=hint",
        "--verbose",
        "--format=json",
        "--output",
        &report_argument,
    ];
    let ended = over_document(SPECTRAL, &arguments, LIMIT)?;
    let report = fs::read_to_string(&report).with_context(|| ended.tail().to_owned())?;
    spectral_counts(&ended.said, &report).with_context(|| ended.status.to_string())
}

/// The OpenAPI 3.0 schema, and what it cannot say: references, names of parameters, defaults.
pub(crate) fn spec_validator() -> Result<Checked> {
    let arguments = ["--validation-errors=all", "--schema=3.0", DOCUMENT];
    let ended = over_document(SPEC_VALIDATOR, &arguments, LIMIT)?;
    ensure!(ended.status.success(), "{}", ended.tail());
    spec_validator_counts(&ended.said)
}

/// The JSON that a tool writes among notices for people.
fn json(said: &str) -> Result<Value> {
    let from = said.find("\n{").map_or(0, |at| at + 1);
    let mut values = serde_json::Deserializer::from_str(&said[from..]).into_iter();
    let value = values.next().context("it wrote nothing")?;
    value.with_context(|| format!("it wrote no JSON: {said}"))
}

fn redocly_counts(lint: &str, stats: &str) -> Result<Checked> {
    let lint = json(lint)?;
    let count = |name: &str| lint["totals"][name].as_u64().context("no totals");
    let problems = count("errors")? + count("warnings")? + count("ignored")?;
    ensure!(problems == 0, "{problems} problems: {:#}", lint["problems"]);
    let stats = json(stats)?;
    let total = |name: &str| stats[name]["total"].as_u64().context("no statistics");
    let (operations, schemas, references) =
        (total("operations")?, total("schemas")?, total("refs")?);
    ensure!(operations > 0, "it has seen no operation");
    Ok(Checked(format!(
        "{operations} operations, {schemas} schemas, {references} references: 0 problems"
    )))
}

fn spectral_counts(said: &str, report: &str) -> Result<Checked> {
    let problems: Vec<Value> = serde_json::from_str(report)?;
    ensure!(
        problems.is_empty(),
        "{} problems: {:#}",
        problems.len(),
        Value::from(problems)
    );
    let rules = said
        .split_once(" rules (")
        .and_then(|(_, rest)| rest.split_once(" enabled)"));
    let rules: u64 = rules
        .and_then(|(enabled, _)| enabled.parse().ok())
        .with_context(|| format!("it does not say how many rules it has: {said}"))?;
    ensure!(rules > 0, "no rule is on");
    Ok(Checked(format!("{rules} rules: 0 problems")))
}

fn spec_validator_counts(said: &str) -> Result<Checked> {
    let valid = said.lines().filter(|line| line.ends_with(": OK")).count();
    ensure!(valid == 1, "expected one valid document: {said}");
    Ok(Checked(format!("{valid} document: 0 errors")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: &str = r#"
{"refs": {"metric": "🚗 References", "total": 52},
 "schemas": {"metric": "📈 Schemas", "total": 42},
 "operations": {"metric": "👷 Operations", "total": 17}}
openapi/checksum.yaml: stats processed in 15ms
"#;

    #[test]
    fn redocly_counts_operations_and_no_problem() {
        let lint = "\n  ╔═══ Deprecation warning ═══╗\n\n{\n  \"totals\": {\n    \"errors\": 0,\n \
                    \"warnings\": 0, \"ignored\": 0\n  },\n  \"problems\": []\n}\nvalidated in 3ms";
        let counted = redocly_counts(lint, STATS).expect("counts");
        assert_eq!(
            counted.0,
            "17 operations, 42 schemas, 52 references: 0 problems"
        );
    }

    #[test]
    fn a_warning_of_redocly_fails() {
        let lint = r#"{"totals": {"errors": 0, "warnings": 1, "ignored": 0},
            "problems": [{"ruleId": "tag-description", "message": "Tag object description"}]}"#;
        let message = redocly_counts(lint, STATS)
            .expect_err("a problem")
            .to_string();
        assert!(message.contains("tag-description"), "{message}");
        assert!(redocly_counts("nothing to see", STATS).is_err());
    }

    #[test]
    fn spectral_counts_its_rules() {
        let said = "Found 57 rules (55 enabled)\nLinting openapi/checksum.yaml\n";
        let counted = spectral_counts(said, "[]").expect("counts");
        assert_eq!(counted.0, "55 rules: 0 problems");
        assert!(spectral_counts("Found 57 rules (0 enabled)", "[]").is_err());
        assert!(spectral_counts("silence", "[]").is_err());
        let hint = r#"[{"code": "oas3-unused-component", "severity": 1}]"#;
        let message = spectral_counts(said, hint).expect_err("a hint").to_string();
        assert!(message.contains("oas3-unused-component"), "{message}");
    }

    #[test]
    fn the_validator_is_believed_only_when_it_says_so() {
        let counted = spec_validator_counts("openapi/checksum.yaml: OK\n").expect("counts");
        assert_eq!(counted.0, "1 document: 0 errors");
        assert!(spec_validator_counts("").is_err());
    }
}
