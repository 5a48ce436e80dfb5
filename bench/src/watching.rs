//! Polls of a set of runs, without a socket and in paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api::ApiKey;
use checksum_api::types::{JobName, RunState};
use checksum_api_ext::{Checksum, Handle, PollPolicy};
use tokio::task::JoinSet;

use crate::{Error, JOB, KEY, server};

/// The size of the set of runs that is watched.
const RUNS: usize = 50;

/// Polls about this often, and returns how often it was.
pub(crate) async fn run(case: &str, polls: usize) -> Result<usize, Error> {
    match case {
        "poll" => poll_set(polls).await,
        "poll-peer" => poll_by_tasks(polls).await,
        _ => Err(format!("no case `{case}`").into()),
    }
}

/// Watches a set until it has been polled about this often, without a socket and in paused time.
async fn poll_set(polls: usize) -> Result<usize, Error> {
    let (builder, sent) = without_socket(polls)?;
    let mut set = builder.build()?.watch(jobs()?.map(Handle::from));
    while let Some((_, event)) = set.next().await {
        event?;
    }
    Ok(sent.load(Ordering::Relaxed))
}

/// Does the same with a task for each run, each of which polls and sleeps.
async fn poll_by_tasks(polls: usize) -> Result<usize, Error> {
    let (builder, sent) = without_socket(polls)?;
    let client = builder.build()?.raw().clone();
    let mut tasks = JoinSet::new();
    for job in jobs()? {
        let client = client.clone();
        tasks.spawn(async move {
            loop {
                let status = client.get_run_status_v2().job_name(&job);
                let status = status.execute().await?;
                if status.status == RunState::Passed {
                    return Ok::<_, checksum_api::Error>(());
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(sent.load(Ordering::Relaxed))
}

/// Returns the builder of a client whose runs pass after this many requests, and their number.
fn without_socket(
    requests: usize,
) -> Result<(checksum_api_ext::ChecksumBuilder, Arc<AtomicUsize>), Error> {
    tokio::time::pause();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let builder = Checksum::builder()
        .api_key(ApiKey::new(KEY)?)
        .poll_policy(PollPolicy::fixed(Duration::from_secs(1)))
        .max_requests_per_second(u32::MAX)
        .transport(move |_| {
            let has_passed = counted.fetch_add(1, Ordering::Relaxed) >= requests;
            let body = match has_passed {
                true => r#"{"status":"passed","passed":1,"failed":0}"#,
                false => server::STATUS,
            };
            std::future::ready(Ok(http::Response::new(body).into()))
        });
    Ok((builder, sent))
}

fn jobs() -> Result<impl Iterator<Item = JobName>, Error> {
    let jobs = (0..RUNS).map(|number| JobName::new(format!("{JOB}-{number}")));
    Ok(jobs.collect::<Result<Vec<_>, _>>()?.into_iter())
}
