//! The hand-written code that the client is compared with: reqwest, and structs of what the document
//! describes, which keep unknown fields as the client does.

#![expect(dead_code, reason = "decoding the fields is what is measured")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::server::Server;
use crate::{Error, JOB, KEY};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status: String,
    passed: Option<u64>,
    failed: Option<u64>,
    recovered: Option<u64>,
    bug: Option<u64>,
    is_terminal: Option<bool>,
    verdict: Option<String>,
    failure_reason: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
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

/// Calls the operation as one would with reqwest alone, with the time limits that the client has.
pub(crate) async fn status(times: usize, server: &Server) -> Result<usize, Error> {
    let client = reqwest::Client::builder()
        .user_agent("bench")
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .no_proxy()
        .build()?;
    for _ in 0..times {
        let url = format!("{}/public-api/v1/execution/status/{JOB}", server.url);
        let request = client.get(url).bearer_auth(KEY);
        let response = request.header("accept", "application/json").send().await?;
        let status: Status = response.error_for_status()?.json().await?;
        assert_eq!(status.status, "running");
    }
    Ok(times)
}
