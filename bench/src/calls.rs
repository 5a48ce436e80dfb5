//! Calls of one operation on one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use checksum_api::types::{JobName, RunState};
use checksum_api::{ApiKey, Client};
use checksum_api_ext::{Checksum, RunHandle};
use serde::Deserialize;
use serde_json::Value;

use crate::server::Server;
use crate::{Error, JOB, KEY};

/// Does a case this many times, and returns how often it did it.
pub(crate) async fn run(case: &str, times: usize) -> Result<usize, Error> {
    let server = Server::start()?;
    match case {
        "status" => status(times, &server).await?,
        "status-ext" => status_ext(times, &server).await?,
        "status-peer" => status_peer(times, &server).await?,
        _ => return Err(format!("no case `{case}`").into()),
    }
    Ok(times)
}

/// Calls the operation by the raw client.
async fn status(times: usize, server: &Server) -> Result<(), Error> {
    let client = Client::builder(ApiKey::new(KEY)?).base_url(server.url.parse()?);
    let client = client.build()?;
    let job = JobName::new(JOB)?;
    for _ in 0..times {
        let status = client.get_run_status().job_name(&job).execute().await?;
        assert_eq!(status.status, RunState::Running);
    }
    Ok(())
}

/// The same call by the extension crate.
async fn status_ext(times: usize, server: &Server) -> Result<(), Error> {
    let checksum = Checksum::builder().api_key(ApiKey::new(KEY)?);
    let checksum = checksum.base_url(server.url.parse()?).build()?;
    let run = checksum.resume_run(RunHandle::new(JobName::new(JOB)?));
    for _ in 0..times {
        assert!(!run.status().await?.is_terminal());
    }
    Ok(())
}

/// What the document describes, with unknown fields kept as the client does.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding the fields is what is measured")]
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

/// Calls the operation as one would with reqwest alone, with the time limits that the client has.
async fn status_peer(times: usize, server: &Server) -> Result<(), Error> {
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
    Ok(())
}
