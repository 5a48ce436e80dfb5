//! The mock server against requests that Schemathesis makes up from the document, valid and invalid.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::mock_process::MockProcess;
use super::{Checked, read_document, workspace};
use crate::process::{self, Ended};
use crate::root;
use crate::tool::SCHEMATHESIS;

const CONFIGURATION: &str = "xtask/src/contract/schemathesis.toml";

/// Any would do; another one tries other requests.
const SEED: &str = "--seed=1";

/// Fewer would say little about so many operations.
const MIN_CASES: u64 = 2_000;

const LIMIT: Duration = Duration::from_secs(300);

pub(super) fn check() -> Result<Checked> {
    let folder = workspace("schemathesis")?;
    let document = preprocess(read_document()?)?;
    fs::write(folder.join("document.json"), document.to_string())?;

    let mut mock = MockProcess::start(&folder)?;
    let ended = run(&folder, &mock.url, "report", &[])?;
    ensure!(ended.status.success(), "{}", ended.tail());

    let report = fs::read_to_string(folder.join("report.json")).context("no report")?;
    let report = Report::read(&serde_json::from_str(&report)?)?;
    let events = fs::read_to_string(folder.join("report.ndjson")).context("no events")?;
    let followed = followed_links(&events)?;
    let unfollowed: Vec<String> = declared_links(&document)
        .difference(&followed)
        .cloned()
        .collect();
    ensure!(
        unfollowed.is_empty(),
        "it never followed {unfollowed:?}; more examples or steps help"
    );

    mock.send_invalid_responses()?;
    let only = ["--include-operation-id=run_suite", "--phases=examples"];
    let ended = run(&folder, &mock.url, "control", &only)?;
    ensure!(
        ended.status.code() == Some(1),
        "negative control: responses without a required field passed: {}",
        ended.tail()
    );
    Ok(report.checked(followed.len()))
}

fn run(folder: &Path, url: &str, name: &str, arguments: &[&str]) -> Result<Ended> {
    let mut command = SCHEMATHESIS.command()?;
    command
        .arg("--config-file")
        .arg(root().join(CONFIGURATION))
        .args(["run", "document.json", "--url", url])
        .args(["--checks=all", "--continue-on-failure", SEED, "--no-color"])
        .arg("--report=json,ndjson")
        .arg(format!("--report-json-path={name}.json"))
        .arg(format!("--report-ndjson-path={name}.ndjson"))
        .args(arguments)
        .current_dir(folder);
    let log = folder.join(format!("{name}.txt"));
    process::run(SCHEMATHESIS.program, &mut command, &log, LIMIT)
}

/// Adds to the document what Schemathesis needs to know.
fn preprocess(mut document: Value) -> Result<Value> {
    // The link to healing has no body in the document, since other tools take no object there.
    let link = document.pointer_mut("/components/links/Heal");
    link.context("there is no link Heal")?["requestBody"] =
        json!({ "testRunId": "$response.body#/testRunId", "autoCreatePR": false });
    let mut from_results = document["components"]["links"]["Heal"].clone();
    from_results["requestBody"]["testRunId"] = "$response.body#/id".into();
    let path = "/paths/~1v1~1test-runs~1{id}~1results/get/responses/200/links/heal";
    let link = document.pointer_mut(path);
    *link.context("the results have no link to healing")? = from_results;
    widen_integers(&mut document);
    substitute_ids(&mut document);
    Ok(document)
}

/// Lets integers be as large as the mock server reads them, unsigned. The document says `int64`,
/// since no other tool knows `uint64`.
fn widen_integers(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|format| format == "int64") {
                fields.remove("format");
                fields.entry("maximum").or_insert(u64::MAX.into());
            }
            fields.values_mut().for_each(widen_integers);
        }
        Value::Array(values) => values.iter_mut().for_each(widen_integers),
        _ => {}
    }
}

/// Puts the ids of the mock server into the examples where they differ from the description's.
fn substitute_ids(value: &mut Value) {
    match value {
        Value::String(text) if text == "run-id" => {
            "00000000-0000-4000-8000-000000000001".clone_into(text);
        }
        Value::String(text) if text == "batch-abc" => "batch-gen-1".clone_into(text),
        Value::Object(fields) => fields.values_mut().for_each(substitute_ids),
        Value::Array(values) => values.iter_mut().for_each(substitute_ids),
        _ => {}
    }
}

/// What counts in the report.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    cases: u64,
    operations: u64,
}

impl Report {
    /// Reads a report, and refuses one of anything less than a whole run without failures.
    fn read(report: &Value) -> Result<Self> {
        let number = |pointer: &str| {
            let number = report.pointer(pointer).and_then(Value::as_u64);
            number.with_context(|| format!("its report has no {pointer}"))
        };
        let failures = number("/test_cases/unique_failures")? + number("/test_cases/errored")?;
        ensure!(
            failures == 0,
            "{failures} failures: {:#}",
            report["failures"]
        );
        ensure!(report["complete"] == true, "its run is not complete");
        for (name, phase) in report["phases"].as_object().context("no phases")? {
            ensure!(phase["status"] == "success", "{name}: {phase}");
        }
        for (name, operations) in report["warnings"].as_object().context("no warnings")? {
            let is_empty = operations.as_array().is_some_and(Vec::is_empty);
            ensure!(is_empty, "a warning, {name}: {operations}");
        }
        let (cases, total) = (
            number("/test_cases/generated")?,
            number("/operations/total")?,
        );
        ensure!(
            cases >= MIN_CASES,
            "{cases} cases; at least {MIN_CASES} are to be tried"
        );
        ensure!(
            number("/operations/tested")? == total,
            "not every operation was tried: {}",
            report["operations"]
        );
        let rates = report["valid_rates"].as_object().context("no rates")?;
        for (operation, phases) in rates {
            let phases = phases.as_object().into_iter().flatten();
            let accepted = phases.filter_map(|(_, counts)| counts["accepted"].as_u64());
            if accepted.sum::<u64>() == 0 {
                bail!("{operation} has accepted nothing");
            }
        }
        ensure!(rates.len() as u64 == total, "rates of {}", rates.len());
        Ok(Self {
            cases,
            operations: total,
        })
    }

    fn checked(&self, links: usize) -> Checked {
        Checked(format!(
            "{} cases on {} operations, {links} links followed: 0 failures; 1 mistake found",
            self.cases, self.operations
        ))
    }
}

/// Returns the document's links, as `<source> -> <name>`.
fn declared_links(document: &Value) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let responses = operation["responses"].as_object().into_iter().flatten();
            for (_, response) in responses {
                let reference = response["$ref"]
                    .as_str()
                    .and_then(|at| at.strip_prefix('#'));
                let response = reference
                    .and_then(|at| document.pointer(at))
                    .unwrap_or(response);
                let links = response["links"].as_object().into_iter().flatten();
                let source = format!("{} {path}", method.to_uppercase());
                declared.extend(links.map(|(name, _)| format!("{source} -> {name}")));
            }
        }
    }
    declared
}

/// Returns the links that were followed to a successful response.
fn followed_links(events: &str) -> Result<BTreeSet<String>> {
    let mut followed = BTreeSet::new();
    for line in events.lines().filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_str(line).context("its events are no JSON")?;
        let recorder = &event["ScenarioFinished"]["recorder"];
        for (id, case) in recorder["cases"].as_object().into_iter().flatten() {
            let status = &recorder["interactions"][id]["response"]["status_code"];
            let is_success = status
                .as_u64()
                .is_some_and(|code| (200..300).contains(&code));
            // `<source> -> [<status>] <name> -> <target>`
            if let Some(link) = case["transition"]["id"].as_str().filter(|_| is_success)
                && let Some((source, rest)) = link.split_once(" -> [")
                && let Some((_, rest)) = rest.split_once("] ")
                && let Some((name, _)) = rest.split_once(" -> ")
            {
                followed.insert(format!("{source} -> {name}"));
            }
        }
    }
    Ok(followed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        json!({
            "complete": true,
            "operations": { "total": 2, "selected": 2, "tested": 2 },
            "phases": { "fuzzing": { "status": "success", "skip_reason": null } },
            "test_cases": { "generated": 3206, "unique_failures": 0, "errored": 0 },
            "failures": [],
            "warnings": { "missing_auth": [], "missing_test_data": [] },
            "valid_rates": {
                "GET /v1/me": { "coverage": { "accepted": 0 }, "fuzzing": { "accepted": 1 } },
                "POST /v1/auto-heal": { "fuzzing": { "accepted": 81, "rejected": 0 } },
            },
        })
    }

    fn refused(pointer: &str, value: Value) -> String {
        let mut report = report();
        *report.pointer_mut(pointer).expect(pointer) = value;
        Report::read(&report).expect_err(pointer).to_string()
    }

    #[test]
    fn its_report_is_counted() {
        let report = Report::read(&report()).expect("a report");
        assert_eq!(
            report.checked(11).0,
            "3206 cases on 2 operations, 11 links followed: 0 failures; 1 mistake found"
        );
    }

    #[test]
    fn a_report_of_less_than_everything_is_refused() {
        let few = refused("/test_cases/generated", json!(1999));
        assert!(few.contains("at least 2000"), "{few}");
        refused("/test_cases/unique_failures", json!(1));
        refused("/test_cases/errored", json!(1));
        refused("/complete", json!(false));
        refused("/phases/fuzzing/status", json!("failure"));
        refused("/operations/tested", json!(1));
        let warning = refused("/warnings/missing_auth", json!(["GET /v1/me"]));
        assert!(warning.contains("missing_auth"), "{warning}");
        let unreached = refused("/valid_rates/GET ~1v1~1me/fuzzing/accepted", json!(0));
        assert_eq!(unreached, "GET /v1/me has accepted nothing");
        assert!(Report::read(&json!({})).is_err());
    }

    #[test]
    fn followed_links_are_told_from_refused_ones() {
        let event = |link: &str, status: u16| {
            let event = json!({ "ScenarioFinished": { "recorder": {
                "cases": { "a": { "transition": { "id": link } }, "b": {} },
                "interactions": { "a": { "response": { "status_code": status } } },
            } } });
            format!("{event}\n")
        };
        let events = event("POST /v1/x -> [2XX] status -> GET /v1/y/{id}", 200)
            + &event("GET /v1/y/{id} -> [2XX] results -> GET /v1/z", 404)
            + "{\"EngineFinished\": {}}\n";
        let followed = followed_links(&events).expect("links");
        assert_eq!(Vec::from_iter(followed), ["POST /v1/x -> status"]);
        assert!(followed_links("{").is_err());
    }

    #[test]
    fn the_document_is_preprocessed_where_it_has_to_be() {
        let document = read_document().expect("the document");
        let links = declared_links(&document);
        let changed = preprocess(document).expect("a document");
        let body = &changed["components"]["links"]["Heal"]["requestBody"];
        assert_eq!(body["testRunId"], "$response.body#/testRunId");
        let suite = "POST /v1/execution/suite -> ";
        assert!(
            links.iter().any(|link| link.starts_with(suite)),
            "{links:?}"
        );
        assert_eq!(declared_links(&changed), links);
        assert_eq!(
            changed["components"]["schemas"]["PrNumber"]["maximum"],
            u64::MAX
        );
        assert!(preprocess(json!({})).is_err());
    }
}
