//! The workflows, executed against the mock server by Redocly's Respect, and their traffic compared
//! with the document by Redocly's drift.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mock_server::{API_KEY, MockServer};
use crate::document;
use crate::process::{self, Ended, empty_folder};
use crate::{root, tool};

const WORKFLOWS: &str = "openapi/workflows.arazzo.yaml";

const LIMIT: Duration = Duration::from_secs(120);

const INPUTS: [&str; 4] = [
    "repoName=acme-co/my-tests",
    "branch=main",
    "grep=checkout",
    "prNumber=42",
];

pub(super) fn check() -> Result<String> {
    let folder = empty_folder("conformance/workflows")?;
    let mock = MockServer::start()?;
    let url = mock.url();
    respect(&url, &folder)?.success()?;
    let (exchanges, problems) = drift(&url, &folder)?;
    ensure!(exchanges > 0 && problems.is_empty(), "{problems:#?}");

    let traffic = folder.join("traffic.har");
    let wrong = with_a_wrong_status(read_json(&traffic)?)?;
    fs::write(&traffic, wrong.to_string())?;
    ensure!(
        !drift(&url, &folder)?.1.is_empty(),
        "negative control: drift accepted a number for a status"
    );
    mock.send_invalid_responses();
    respect(&url, &folder)?.rejected("a run without a name")?;
    Ok(format!(
        "{exchanges} exchanges: 0 problems; 2 mistakes found"
    ))
}

/// Executes the workflows, and records their traffic.
fn respect(url: &str, folder: &Path) -> Result<Ended> {
    let mut command = tool::npm("redocly")?;
    command.args(["respect", WORKFLOWS, "--server", &format!("checksum={url}")]);
    command.args(["--input", &format!("apiKey={API_KEY}")]);
    for input in INPUTS {
        command.args(["--input", input]);
    }
    command.arg("--har-output").arg(folder.join("traffic.har"));
    process::run("respect", command.current_dir(root()), folder, LIMIT)
}

/// Returns how many exchanges were compared with the document, and what differs from it.
fn drift(url: &str, folder: &Path) -> Result<(u64, Vec<Value>)> {
    let report = folder.join("drift.json");
    let mut command = tool::npm("redocly")?;
    command.arg("drift").arg(folder.join("traffic.har"));
    command.args(["--api", document::PATH, "--server", url, "--format=json"]);
    command.arg("--output").arg(&report);
    let ended = process::run("drift", command.current_dir(root()), folder, LIMIT)?;
    let report = read_json(&report).with_context(|| ended.tail())?;
    let (run, problems) = (&report["run"], report["problems"].as_array());
    ensure!(
        run["documentedExchanges"] == run["totalExchanges"],
        "an exchange is not in the document: {run:#}"
    );
    let exchanges = run["totalExchanges"].as_u64().context("no exchanges")?;
    Ok((exchanges, problems.context("no problems")?.clone()))
}

/// Replaces the first status of a run by a number.
fn with_a_wrong_status(mut traffic: Value) -> Result<Value> {
    let entries = traffic["log"]["entries"].as_array_mut();
    let entry = entries.into_iter().flatten().find(|entry| {
        let url = entry["request"]["url"].as_str();
        url.is_some_and(|url| url.contains("/execution/status/"))
    });
    let content = &mut entry.context("no status was polled")?["response"]["content"];
    content["text"] = r#"{"status": 7}"#.into();
    Ok(traffic)
}

fn read_json(path: &Path) -> Result<Value> {
    let name = || path.display().to_string();
    serde_json::from_str(&fs::read_to_string(path).with_context(name)?).with_context(name)
}
