//! The stand-in against requests that Schemathesis makes up from the document, right and wrong.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::stand_in::StandIn;
use super::{Checked, read_document, workspace};
use crate::tool::SCHEMATHESIS;
use crate::{process, root};

const CONFIGURATION: &str = "xtask/src/contract/schemathesis.toml";

/// Any would do; another one tries other requests.
const SEED: &str = "--seed=1";

/// Fewer would say little about 17 operations.
const MIN_CASES: u64 = 2_000;

const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn judge() -> Result<Checked> {
    let folder = workspace("schemathesis")?;
    let document = sharpened(read_document()?)?;
    fs::write(folder.join("document.json"), document.to_string())?;

    let stand_in = StandIn::start(&folder)?;
    let mut command = SCHEMATHESIS.command()?;
    command
        .arg("--config-file")
        .arg(root().join(CONFIGURATION))
        .args(["run", "document.json", "--url", &stand_in.url])
        .args(["--checks=all", "--continue-on-failure", SEED, "--no-color"])
        .args(["--report=json,ndjson", "--report-json-path=report.json"])
        .arg("--report-ndjson-path=events.ndjson")
        .current_dir(&folder);
    let log = folder.join("log.txt");
    let ended = process::run(SCHEMATHESIS.program, &mut command, &log, LIMIT)?;
    ensure!(ended.status.success(), "{}", ended.tail());

    let report = fs::read_to_string(folder.join("report.json")).context("no report")?;
    let report = Report::read(&serde_json::from_str(&report)?)?;
    let events = fs::read_to_string(folder.join("events.ndjson")).context("no events")?;
    let followed = followed_links(&events)?;
    let unfollowed: Vec<String> = declared_links(&document)
        .difference(&followed)
        .cloned()
        .collect();
    ensure!(
        unfollowed.is_empty(),
        "it never followed {unfollowed:?}; more examples or steps help"
    );
    Ok(report.checked(followed.len()))
}

/// The document with what its judge needs to know and the document cannot say, or not without
/// making other types of its schemas.
fn sharpened(mut document: Value) -> Result<Value> {
    limit_integers(&mut document);
    // Which member is required depends on the others. The document says so in words.
    for name in ["AutoHeal", "HealRequest"] {
        let schema = document
            .pointer_mut(&format!("/components/schemas/{name}"))
            .and_then(Value::as_object_mut);
        let schema = schema.with_context(|| format!("there is no schema {name}"))?;
        schema.insert(
            "anyOf".to_owned(),
            json!([
                { "required": ["repoName"] },
                {
                    "required": ["autoCreatePR"],
                    "properties": { "autoCreatePR": { "enum": [false] } },
                    "not": { "required": ["prNumber"] },
                },
            ]),
        );
    }
    // From a run to its healing there is no link in the document: a link's body is one value, and
    // the members beside `testRunId` have no place in it. Schemathesis takes an object.
    let links = "/paths/~1v2~1execution~1status~1{jobName}/get/responses/2XX/links";
    let links = document.pointer_mut(links).and_then(Value::as_object_mut);
    links.context("the status has no links")?.insert(
        "heal".to_owned(),
        json!({
            "operationId": "trigger_auto_heal",
            "requestBody": { "testRunId": "$response.body#/testRunId", "autoCreatePR": false },
        }),
    );
    name_what_exists(&mut document);
    Ok(document)
}

/// Says what `format: uint64` means, which is no format of JSON Schema. The document cannot: the
/// generator reads a `maximum` as a signed integer.
fn limit_integers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members
                .get("format")
                .is_some_and(|format| format == "uint64")
            {
                members.insert("maximum".to_owned(), u64::MAX.into());
            }
            members.values_mut().for_each(limit_integers);
        }
        Value::Array(items) => items.iter_mut().for_each(limit_integers),
        _ => {}
    }
}

/// Lets the examples name the run and the batch that the stand-in has: its own ids differ from the
/// description's at these two.
fn name_what_exists(value: &mut Value) {
    match value {
        Value::String(text) if text == "run-id" => {
            "00000000-0000-4000-8000-000000000001".clone_into(text);
        }
        Value::String(text) if text == "batch-abc" => "batch-gen-1".clone_into(text),
        Value::Object(members) => members.values_mut().for_each(name_what_exists),
        Value::Array(items) => items.iter_mut().for_each(name_what_exists),
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
    /// Reads it, and refuses one that tells of less than a whole run without a complaint.
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
            "{} cases on {} operations, {links} links followed: 0 failures",
            self.cases, self.operations
        ))
    }
}

/// The document's links, as `<source> -> <name>`.
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

/// The links that were followed to an answer that was a success.
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
            "3206 cases on 2 operations, 11 links followed: 0 failures"
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
    fn the_document_is_sharpened_where_it_has_to_be() {
        let document = read_document().expect("the document");
        let links = declared_links(&document);
        let sharp = sharpened(document).expect("a document");
        assert!(sharp["components"]["schemas"]["AutoHeal"]["anyOf"].is_array());
        let number = &sharp["components"]["schemas"]["PrNumber"];
        assert_eq!(number["maximum"], u64::MAX);
        assert!(
            links.contains("POST /v1/execution/suite -> status"),
            "{links:?}"
        );
        assert_eq!(declared_links(&sharp).len(), links.len() + 1);
        assert!(sharpened(json!({})).is_err());
    }
}
