//! The workflows, executed against the mock server by Redocly's Respect, and their traffic compared
//! with the document by Redocly's drift.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mock_process::MockProcess;
use super::{Checked, DOCUMENT, run_tool, workspace};
use crate::process::Ended;
use crate::tool::REDOCLY;

const WORKFLOWS: &str = "openapi/workflows.arazzo.yaml";

const LIMIT: Duration = Duration::from_secs(120);

const INPUTS: [&str; 5] = [
    "apiKey=contract-key",
    "repoName=acme-co/my-tests",
    "branch=main",
    "grep=checkout",
    "prNumber=42",
];

pub(super) fn check() -> Result<Checked> {
    let folder = workspace("workflows")?;
    let mut mock = MockProcess::start(&folder)?;
    let traffic = folder.join("traffic.har");
    let report = folder.join("report.json");
    let ended = respect(&mock.url, &traffic, &report)?;
    ensure!(ended.status.success(), "{}", ended.tail());
    let counts = Counts::of(&read_json(&report)?)?;

    let (exchanges, findings) = drift(&mock.url, &traffic, &folder)?;
    ensure!(
        findings.is_empty() && exchanges > 0,
        "{exchanges} exchanges: {:#}",
        Value::from(findings)
    );

    let wrong = with_a_wrong_status(read_json(&traffic)?)?;
    fs::write(&traffic, wrong.to_string())?;
    let (_, findings) = drift(&mock.url, &traffic, &folder)?;
    ensure!(
        !findings.is_empty(),
        "negative control: drift did not find that a status is a number"
    );
    mock.send_invalid_responses()?;
    let ended = respect(&mock.url, &traffic, &report)?;
    ensure!(
        !ended.status.success(),
        "negative control: a workflow passed without the name of its run"
    );
    Ok(Checked(format!(
        "{} workflows, {} requests, {} checks passed; drift: {exchanges} exchanges, 0 findings; \
         2 mistakes found",
        counts.workflows, counts.requests, counts.checks
    )))
}

fn respect(url: &str, traffic: &Path, report: &Path) -> Result<Ended> {
    let server = format!("checksum={url}");
    let (traffic, report) = (traffic.to_string_lossy(), report.to_string_lossy());
    let mut arguments = vec!["respect", WORKFLOWS, "--server", &server];
    for input in INPUTS {
        arguments.extend(["--input", input]);
    }
    arguments.extend(["--har-output", &traffic, "--json-output", &report]);
    run_tool(REDOCLY, &arguments, LIMIT)
}

/// Returns how many exchanges were compared, and what differs from the document.
fn drift(url: &str, traffic: &Path, folder: &Path) -> Result<(u64, Vec<Value>)> {
    let output = folder.join("drift.json");
    let (traffic, report) = (traffic.to_string_lossy(), output.to_string_lossy());
    let source = ["drift", &traffic, "--api", DOCUMENT, "--server", url];
    let form = ["--format", "json", "--output", &report];
    let ended = run_tool(REDOCLY, &[&source[..], &form].concat(), LIMIT)?;
    let report = read_json(&output).with_context(|| ended.tail())?;
    let run = &report["run"];
    ensure!(
        run["documentedExchanges"] == run["totalExchanges"],
        "an exchange is not in the document: {run:#}"
    );
    let exchanges = run["totalExchanges"].as_u64().context("no exchanges")?;
    let problems = report["problems"].as_array().context("no problems")?;
    Ok((exchanges, problems.clone()))
}

/// Makes a number of the first status of a run.
fn with_a_wrong_status(mut traffic: Value) -> Result<Value> {
    let entries = traffic["log"]["entries"].as_array_mut();
    let of_status = |entry: &&mut Value| {
        let url = entry["request"]["url"].as_str().unwrap_or_default();
        url.contains("/execution/status/")
    };
    let entry = entries.into_iter().flatten().find(of_status);
    let content = &mut entry.context("no status was polled")?["response"]["content"];
    content["text"] = r#"{"status": 7}"#.into();
    Ok(traffic)
}

fn read_json(path: &Path) -> Result<Value> {
    let name = || path.display().to_string();
    serde_json::from_str(&fs::read_to_string(path).with_context(name)?).with_context(name)
}

#[derive(Debug, PartialEq, Eq)]
struct Counts {
    workflows: usize,
    requests: usize,
    checks: usize,
}

impl Counts {
    /// Counts what passed, and fails if something did not or if nothing was done.
    fn of(report: &Value) -> Result<Self> {
        ensure!(report["status"] == "success", "{report:#}");
        let mut counts = Self {
            workflows: 0,
            requests: 0,
            checks: 0,
        };
        let files = report["files"].as_object().context("no files")?;
        for workflow in files
            .values()
            .flat_map(|file| list(&file["executedWorkflows"]))
        {
            let id = &workflow["workflowId"];
            ensure!(
                workflow["status"] == "success",
                "{id}: {}",
                workflow["status"]
            );
            counts.workflows += 1;
            for step in list(&workflow["executedSteps"]) {
                let passed = list(&step["checks"]).filter(|check| check["passed"] == true);
                let passed = passed.count();
                counts.requests += 1;
                counts.checks += passed;
            }
        }
        ensure!(
            counts.workflows > 0 && counts.checks > 0,
            "nothing was done"
        );
        Ok(counts)
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_of_respect_is_counted() {
        let step = json!({ "checks": [{ "passed": true }, { "passed": true }] });
        let mut report = json!({ "status": "success", "files": { "a.yaml": { "executedWorkflows": [
            { "workflowId": "a", "status": "success", "executedSteps": [step, step] },
        ] } } });
        let counts = Counts {
            workflows: 1,
            requests: 2,
            checks: 4,
        };
        assert_eq!(Counts::of(&report).expect("counts"), counts);
        report["files"]["a.yaml"]["executedWorkflows"][0]["status"] = "error".into();
        assert!(Counts::of(&report).is_err());
        assert!(Counts::of(&json!({ "status": "success", "files": {} })).is_err());
    }
}
