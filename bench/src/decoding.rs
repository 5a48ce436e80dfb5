//! Decoding the results of many tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use checksum_api::types::TestRunResults;
use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// Does a case this many times, and returns how often it did it.
pub(crate) async fn run(case: &str, times: usize) -> Result<usize, Error> {
    match case {
        "results" => decode::<TestRunResults>(times, |results| results.tests.len())?,
        "results-peer" => decode::<Results>(times, |results| results.tests.len())?,
        _ => return Err(format!("no case `{case}`").into()),
    }
    Ok(times)
}

/// Decodes the results of ten thousand tests.
fn decode<T: serde::de::DeserializeOwned>(
    times: usize,
    count: impl Fn(T) -> usize,
) -> Result<(), Error> {
    let body = results(10_000);
    for _ in 0..times {
        assert_eq!(count(serde_json::from_str(&body)?), 10_000);
    }
    Ok(())
}

/// What the document describes, with unknown fields kept as the client does.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding the fields is what is measured")]
pub(crate) struct Results {
    id: String,
    status: String,
    branch: Option<String>,
    passed: Option<u64>,
    failed: Option<u64>,
    recovered: Option<u64>,
    bug: Option<u64>,
    pub(crate) tests: Vec<Test>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding the fields is what is measured")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Test {
    checksum_test_id: String,
    test_title: Option<String>,
    test_file_path: Option<String>,
    status: String,
    error_message: Option<String>,
    health_status: Option<String>,
    tags: Vec<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// Returns the results of this many tests, one in ten of which has failed.
fn results(tests: usize) -> String {
    let mut body = r#"{"id":"run-id","status":"failed","branch":"main","passed":1,"failed":1,"recovered":0,"bug":0,"tests":["#.to_owned();
    for number in 0..tests {
        let (status, error) = match number % 10 {
            0 => ("failed", r#""Timeout waiting for selector #pay-button""#),
            _ => ("passed", "null"),
        };
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"checksumTestId":"test-{number}","status":"{status}","errorMessage":{error},"healthStatus":"healthy","testTitle":"User can do the thing with the number {number}","testFilePath":"checksum/tests/area-{}/thing.spec.ts","tags":["smoke","checkout"]}}"#,
            number % 100
        );
    }
    body + "]}"
}
