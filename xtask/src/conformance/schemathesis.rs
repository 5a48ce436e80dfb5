//! Checks the mock server against valid and invalid requests that Schemathesis generates from the
//! document.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Workspace;
use super::mock_server::{FAULTY, MockServer};
use crate::document::{Document, fields};

const CONFIGURATION: &str = "xtask/conformance/schemathesis.toml";

/// Fixed, so that each run sends the same requests.
const SEED: &str = "--seed=1";

/// Fails if Schemathesis sent fewer requests, which would not cover the operations well.
const MIN_CASES: u64 = 2_000;

/// Checks the mock server. Every operation has to accept a request, and every link of the document
/// has to be followed to a successful response.
pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("schemathesis")?;
    let document = preprocess(Document::current()?)?;
    workspace.write("document.json", &document.value().to_string())?;
    let mock = MockServer::start()?;
    let run = format!(
        "schemathesis --config-file ../../../../{CONFIGURATION} run document.json --url {} \
         --checks=all --continue-on-failure {SEED} --no-color --report=json,ndjson \
         --report-json-path=report.json --report-ndjson-path=report.ndjson",
        mock.url()
    );
    workspace.python(&run)?.success()?;
    let cases = cases(&serde_json::from_str(&workspace.read("report.json")?)?)?;
    let (links, followed) = (
        links(&document),
        followed_links(&workspace.read("report.ndjson")?)?,
    );
    let missing: Vec<&String> = links.difference(&followed).collect();
    ensure!(
        missing.is_empty(),
        "it never followed {missing:?}; more examples or steps help"
    );

    mock.send_invalid_responses();
    let control = format!("{run} --include-operation-id={FAULTY} --phases=examples");
    let ended = workspace
        .python(&control)?
        .rejected("a response without a required field")?;
    ensure!(ended.status.code() == Some(1), "{}", ended.tail());
    Ok(format!(
        "{cases} cases, {} links followed: 0 failures; 1 mistake found",
        links.len()
    ))
}

/// Adds to the document the facts that only Schemathesis needs.
fn preprocess(document: Document) -> Result<Document> {
    let mut document = document.value().clone();
    // The links to healing have no body in the document, since other tools take no object there.
    let heal = json!({ "testRunId": "$response.body#/testRunId", "autoCreatePR": false });
    let link = document.pointer_mut("/components/links/Heal");
    let link = link.context("there is no link Heal")?;
    link["requestBody"] = heal;
    let mut from_results = link.clone();
    from_results["requestBody"]["testRunId"] = "$response.body#/id".into();
    let path = "/paths/~1v1~1test-runs~1{id}~1results/get/responses/200/links/heal";
    let link = document.pointer_mut(path);
    *link.context("the results have no link to healing")? = from_results;
    adapt(&mut document);
    Document::parse(document.to_string())
}

/// Lets integers be as large as the mock server reads them, unsigned (the document says `int64`,
/// since no other tool knows `uint64`), and replaces example ids by those of the mock server.
fn adapt(value: &mut Value) {
    match value {
        Value::String(text) if text == "run-id" => {
            "00000000-0000-4000-8000-000000000001".clone_into(text);
        }
        Value::String(text) if text == "batch-abc" => "batch-gen-1".clone_into(text),
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|format| format == "int64") {
                fields.remove("format");
                fields.entry("maximum").or_insert(u64::MAX.into());
            }
            fields.values_mut().for_each(adapt);
        }
        Value::Array(values) => values.iter_mut().for_each(adapt),
        _ => {}
    }
}

/// Returns the number of requests, of a report that covers every operation.
fn cases(report: &Value) -> Result<u64> {
    let number = |pointer| report.pointer(pointer).and_then(Value::as_u64);
    let cases = number("/test_cases/generated").unwrap_or_default();
    ensure!(cases >= MIN_CASES, "{cases} cases, fewer than {MIN_CASES}");
    let total = number("/operations/total");
    let accepting = fields(&report["valid_rates"]).filter(|(_, phases)| {
        fields(phases).any(|(_, counts)| counts["accepted"].as_u64() > Some(0))
    });
    ensure!(
        report["complete"] == true
            && number("/operations/tested") == total
            && Some(accepting.count() as u64) == total,
        "an operation was not tested or has accepted nothing: {} {:#}",
        report["operations"],
        report["valid_rates"]
    );
    Ok(cases)
}

/// Returns the document's links, as `<source> -> <name>`.
fn links(document: &Document) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for operation in document.operations() {
        let source = format!("{} {}", operation.method.to_uppercase(), operation.path);
        for (_, response) in operation.responses() {
            let of_response = fields(&document.resolve(response)["links"]);
            links.extend(of_response.map(|(name, _)| format!("{source} -> {name}")));
        }
    }
    links
}

/// Returns the links that were followed to a successful response.
fn followed_links(events: &str) -> Result<BTreeSet<String>> {
    let mut followed = BTreeSet::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).context("its events are no JSON")?;
        let recorder = &event["ScenarioFinished"]["recorder"];
        for (id, case) in fields(&recorder["cases"]) {
            let status = &recorder["interactions"][id]["response"]["status_code"];
            // `<source> -> [<status>] <name> -> <target>`
            if let Some(200..=299) = status.as_u64()
                && let Some(link) = case["transition"]["id"].as_str()
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

    #[test]
    fn only_a_report_of_every_operation_is_accepted() {
        let report = |generated: u64, accepted: u64| {
            cases(&json!({
                "complete": true,
                "operations": { "total": 1, "tested": 1 },
                "test_cases": { "generated": generated },
                "valid_rates": { "GET /v1/me": { "fuzzing": { "accepted": accepted } } },
            }))
        };
        assert_eq!(report(2_000, 1).expect("a report"), 2_000);
        assert!(report(1_999, 1).is_err());
        assert!(report(2_000, 0).is_err());
    }

    #[test]
    fn a_link_is_followed_if_its_target_succeeds() {
        let followed = |status: u16| {
            let id = "POST /v1/x -> [2XX] status -> GET /v1/y/{id}";
            let recorder = json!({
                "cases": { "a": { "transition": { "id": id } } },
                "interactions": { "a": { "response": { "status_code": status } } },
            });
            let event = json!({ "ScenarioFinished": { "recorder": recorder } });
            followed_links(&event.to_string()).expect("links").len()
        };
        assert_eq!((followed(200), followed(404)), (1, 0));
    }
}
