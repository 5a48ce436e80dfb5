//! Requests made up from the document, right ones and wrong ones, alone and along its links,
//! against the stand-in.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::stand_in;
use crate::document::{Document, PATH};
use crate::root;
use crate::tool::{Registry, Tool};

pub(super) const SCHEMATHESIS: Tool = Tool {
    package: "schemathesis",
    version: "4.32.5",
    program: "st",
    registry: Registry::PyPi,
};

/// The same cases each time; another number tries others.
const SEED: &str = "20261124";

const EXAMPLES: &str = "100";

const AT_LEAST: u64 = 2_000;

const LIMIT: Duration = Duration::from_secs(360);

pub(super) fn run() -> Result<String> {
    let server = stand_in::start()?;
    let report = root().join("target/xtask/schemathesis.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut test = SCHEMATHESIS.command()?;
    test.args(["--config-file", "openapi/schemathesis.toml"])
        .args(["run", PATH, "--url", &server.url])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", stand_in::KEY),
        ])
        .args(["--checks", "all", "--continue-on-failure"])
        .args(["--seed", SEED, "--max-examples", EXAMPLES])
        // Found examples would be kept and tried first, so that no two runs were the same.
        .args(["--generation-database", "none"])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report);
    let output = SCHEMATHESIS.output(&mut test, LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}");
    let report = fs::read(&report).context("it wrote no report")?;
    let operations = Document::current()?.operations().count();
    counted(&serde_json::from_slice(&report)?, operations)
}

/// What the report counts, which has to be enough and without a failure.
fn counted(report: &Value, operations: usize) -> Result<String> {
    let count = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_u64);
        value.with_context(|| format!("the report has no count at {pointer}"))
    };
    let generated = count("/test_cases/generated")?;
    let tested = count("/operations/tested")?;
    let failures = count("/test_cases/with_failures")? + count("/test_cases/errored")?;
    ensure!(failures == 0, "{failures} cases failed");
    ensure!(
        tested == operations as u64,
        "{tested} of {operations} operations were tested"
    );
    ensure!(
        generated >= AT_LEAST,
        "{generated} cases are fewer than {AT_LEAST}"
    );
    for phase in ["examples", "coverage", "fuzzing", "stateful"] {
        let status = &report["phases"][phase]["status"];
        ensure!(
            status == "success",
            "the phase `{phase}` ended with {status}"
        );
    }
    Ok(format!(
        "{generated} cases, {tested} operations, 4 phases, 0 failures"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_has_to_be_good_and_large_enough() {
        let phase = json!({ "status": "success" });
        let good = json!({
            "test_cases": { "generated": 2_500, "with_failures": 0, "errored": 0 },
            "operations": { "tested": 17 },
            "phases": {
                "examples": phase, "coverage": phase, "fuzzing": phase, "stateful": phase,
            },
        });
        assert_eq!(
            counted(&good, 17).expect("a count"),
            "2500 cases, 17 operations, 4 phases, 0 failures"
        );
        for (pointer, value) in [
            ("/test_cases/generated", json!(1_999)),
            ("/test_cases/with_failures", json!(1)),
            ("/test_cases/errored", json!(1)),
            ("/operations/tested", json!(16)),
            ("/phases/stateful/status", json!("skip")),
            ("/test_cases/generated", json!(null)),
        ] {
            let mut report = good.clone();
            *report.pointer_mut(pointer).expect("a place") = value;
            assert!(counted(&report, 17).is_err(), "{pointer}");
        }
    }
}
