//! Executes the workflows against the mock server with Redocly's Respect, and compares their
//! traffic with the document by Redocly's drift.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mock_server::{API_KEY, MockServer};
use super::{DOCUMENT, Workspace};

const INPUTS: &str = "--input repoName=acme-co/my-tests --input branch=main --input grep=checkout \
                      --input prNumber=42";

pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("workflows")?;
    let mock = MockServer::start()?;
    let url = mock.url();
    let respect = format!(
        "redocly respect ../../../../openapi/workflows.arazzo.yaml --server checksum={url} \
         --input apiKey={API_KEY} {INPUTS} --har-output traffic.har"
    );
    workspace.npm(&respect)?.success()?;
    let (exchanges, problems) = drift(&workspace, &url)?;
    ensure!(exchanges > 0 && problems.is_empty(), "{problems:#?}");

    let traffic = serde_json::from_str(&workspace.read("traffic.har")?)?;
    workspace.write("traffic.har", &with_a_wrong_status(traffic)?.to_string())?;
    ensure!(
        !drift(&workspace, &url)?.1.is_empty(),
        "negative control: drift accepted a number for a status"
    );
    mock.send_invalid_responses();
    workspace.npm(&respect)?.rejected("a run without a name")?;
    Ok(format!(
        "{exchanges} exchanges: 0 problems; 2 mistakes found"
    ))
}

/// Returns how many exchanges were compared with the document, and the differences.
fn drift(workspace: &Workspace, url: &str) -> Result<(u64, Vec<Value>)> {
    workspace.write("drift.json", "")?;
    let ended = workspace.npm(&format!(
        "redocly drift traffic.har --api {DOCUMENT} --server {url} --format=json --output drift.json"
    ))?;
    let report: Value =
        serde_json::from_str(&workspace.read("drift.json")?).with_context(|| ended.tail())?;
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
