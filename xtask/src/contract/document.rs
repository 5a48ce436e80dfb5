//! The document alone: by linters and a validator. Each is also shown a document with mistakes,
//! which it has to find: a check that cannot fail would say nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Checked, DOCUMENT, over_document, workspace};
use crate::document::Document;
use crate::tool::{REDOCLY, SPEC_VALIDATOR, SPECTRAL};

const RULES_OF_REDOCLY: &str = "openapi/redocly.yaml";

const RULES_OF_SPECTRAL: &str = "openapi/spectral.yaml";

const LIMIT: Duration = Duration::from_secs(60);

/// A rule that a mistake breaks, a text of the document, and what to put in its place.
type Mistake = (&'static str, &'static str, &'static str);

/// Mistakes, each with the rule of Redocly's that has to find it.
const MISTAKES: &[Mistake] = &[
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

/// The rules of Spectral's that the same mistakes break.
const SPECTRAL_RULES: [&str; 7] = [
    "operation-operationId",
    "operation-operationId-unique",
    "operation-description",
    "operation-tag-defined",
    "oas3-valid-media-example",
    "oas3-valid-schema-example",
    "oas3-unused-component",
];

/// What the schema of OpenAPI does not allow.
const INVALID: Mistake = (
    "parameters are a list",
    "    get:\n",
    "    get:\n      parameters: none\n",
);

/// Redocly's recommended rules and some of its others; warnings count.
pub(crate) fn redocly() -> Result<Checked> {
    let lint = |document: &str| {
        let rules = ["--config", RULES_OF_REDOCLY];
        let form = ["--format=json", "--max-problems=1000"];
        let arguments = [&["lint", document][..], &rules, &form].concat();
        over_document(REDOCLY, &arguments, LIMIT)
    };
    let problems = lint(DOCUMENT)?;
    let stats = ["stats", DOCUMENT, "--format=json"];
    let statistics = over_document(REDOCLY, &stats, LIMIT)?;
    let counts = redocly_counts(&problems.said, &statistics.said)
        .with_context(|| format!("lint {}, stats {}", problems.status, statistics.status))?;

    let broken = broken(MISTAKES)?;
    let found = lint(&broken.to_string_lossy())?;
    let found = json(&found.said)?;
    let found = found["problems"].as_array().context("no problems")?;
    seen(MISTAKES.iter().map(|mistake| mistake.0), found, "ruleId")?;
    Ok(Checked(format!(
        "{}; {} mistakes seen",
        counts.0,
        MISTAKES.len()
    )))
}

/// Every rule of Spectral, but for those that its rule set turns off with a reason.
pub(crate) fn spectral() -> Result<Checked> {
    let report = workspace("spectral")?.join("report.json");
    let lint = |document: &str| {
        let rules = ["--ruleset", RULES_OF_SPECTRAL, "--fail-severity=hint"];
        let path = report.to_string_lossy();
        let form = ["--verbose", "--format=json", "--output", &path];
        let arguments = [&["lint", document][..], &rules, &form].concat();
        let ended = over_document(SPECTRAL, &arguments, LIMIT)?;
        let report = fs::read_to_string(&report).with_context(|| ended.tail().to_owned())?;
        anyhow::Ok((ended, report))
    };
    let (ended, problems) = lint(DOCUMENT)?;
    let counts =
        spectral_counts(&ended.said, &problems).with_context(|| ended.status.to_string())?;

    // Where a reference leads nowhere, it looks no further.
    let resolvable = |mistake: &&Mistake| mistake.0 != "no-unresolved-refs";
    let mistakes: Vec<Mistake> = MISTAKES.iter().filter(resolvable).copied().collect();
    let broken = broken(&mistakes)?;
    let (_, found) = lint(&broken.to_string_lossy())?;
    seen(
        SPECTRAL_RULES,
        &serde_json::from_str::<Vec<Value>>(&found)?,
        "code",
    )?;
    Ok(Checked(format!(
        "{}; {} mistakes seen",
        counts.0,
        SPECTRAL_RULES.len()
    )))
}

/// The OpenAPI 3.0 schema, and what it cannot say: references, names of parameters, defaults.
pub(crate) fn spec_validator() -> Result<Checked> {
    let validate = |document: &str| {
        let arguments = ["--validation-errors=all", "--schema=3.0", document];
        over_document(SPEC_VALIDATOR, &arguments, LIMIT)
    };
    let ended = validate(DOCUMENT)?;
    ensure!(ended.status.success(), "{}", ended.tail());
    let counts = spec_validator_counts(&ended.said)?;

    let broken = broken(&[INVALID])?;
    let ended = validate(&broken.to_string_lossy())?;
    ensure!(
        !ended.status.success(),
        "a mistake went unseen: {}",
        ended.tail()
    );
    Ok(Checked(format!("{}; 1 mistake seen", counts.0)))
}

/// The document with mistakes in it, as a file.
fn broken(mistakes: &[Mistake]) -> Result<PathBuf> {
    let mut text = Document::current()?.text().to_owned();
    for (rule, from, to) in mistakes {
        ensure!(
            text.contains(from),
            "{rule}: `{from}` is not in {DOCUMENT} any more"
        );
        text = text.replacen(from, to, 1);
    }
    let path = workspace("broken")?.join("checksum.yaml");
    fs::write(&path, text)?;
    Ok(path)
}

/// Whether each of the rules was broken somewhere.
fn seen<'a>(
    rules: impl IntoIterator<Item = &'a str>,
    problems: &[Value],
    member: &str,
) -> Result<()> {
    let found: BTreeSet<&str> = problems.iter().filter_map(|p| p[member].as_str()).collect();
    let unseen: Vec<&str> = rules
        .into_iter()
        .filter(|rule| !found.contains(rule))
        .collect();
    ensure!(
        unseen.is_empty(),
        "mistakes went unseen: {unseen:?}; seen: {found:?}"
    );
    Ok(())
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
    fn a_mistake_that_nobody_names_is_told() {
        let found = [serde_json::json!({ "code": "oas3-unused-component" })];
        assert!(seen(["oas3-unused-component"], &found, "code").is_ok());
        let message = seen(["operation-tag-defined"], &found, "code").expect_err("unseen");
        assert!(
            message.to_string().contains("operation-tag-defined"),
            "{message}"
        );
    }

    #[test]
    fn mistakes_can_still_be_made() {
        let text = Document::current().expect("the document").text().to_owned();
        for (rule, from, _) in MISTAKES.iter().chain([&INVALID]) {
            assert!(text.contains(from), "{rule}: `{from}`");
        }
    }

    #[test]
    fn the_validator_is_believed_only_when_it_says_so() {
        let counted = spec_validator_counts("openapi/checksum.yaml: OK\n").expect("counts");
        assert_eq!(counted.0, "1 document: 0 errors");
        assert!(spec_validator_counts("").is_err());
    }
}
