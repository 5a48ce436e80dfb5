//! Polls of a set of runs, without a socket and in paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api::ApiKey;
use checksum_api::types::{JobName, RunState};
use checksum_api_ext::{Checksum, ChecksumBuilder, Event, Handle, PollPolicy};
use tokio::task::JoinSet;

use crate::{Error, JOB, KEY, server};

/// The size of the set of runs whose polls are counted.
const RUNS: usize = 50;

/// Returns how many polls were made, or how many runs are held.
pub(crate) async fn run(case: &str, count: usize) -> Result<usize, Error> {
    match case {
        "poll" => poll_set(RUNS, count).await,
        "poll-peer" => poll_by_tasks(RUNS, count).await,
        // Each run of a large set is polled four times.
        "grow" => poll_set(count, (4 * count).max(20_000)).await,
        "hold" => hold_set(count).await,
        "hold-peer" => hold_by_tasks(count).await,
        _ => Err(format!("no case `{case}`").into()),
    }
}

/// Watches a set until it has been polled about this often.
async fn poll_set(runs: usize, polls: usize) -> Result<usize, Error> {
    let (builder, sent) = without_socket(polls)?;
    let mut set = builder.build()?.watch(jobs(runs).map(Handle::from));
    while let Some((_, event)) = set.next().await {
        event?;
    }
    Ok(sent.load(Ordering::Relaxed))
}

/// Does the same with a task for each run, each of which polls and sleeps.
async fn poll_by_tasks(runs: usize, polls: usize) -> Result<usize, Error> {
    let (builder, sent) = without_socket(polls)?;
    let mut tasks = tasks(&builder.build()?, runs);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(sent.load(Ordering::Relaxed))
}

/// Watches a set until each run has been polled once, for the peak of the heap.
async fn hold_set(runs: usize) -> Result<usize, Error> {
    let (builder, _) = without_socket(usize::MAX)?;
    let mut set = builder.build()?.watch(jobs(runs).map(Handle::from));
    let mut polled = 0;
    while polled < runs {
        let (_, event) = set.next().await.ok_or("the set has ended")?;
        polled += usize::from(matches!(event?, Event::Changed { .. }));
    }
    Ok(set.len())
}

/// Does the same with a task for each run.
async fn hold_by_tasks(runs: usize) -> Result<usize, Error> {
    let (builder, sent) = without_socket(usize::MAX)?;
    let tasks = tasks(&builder.build()?, runs);
    while sent.load(Ordering::Relaxed) < runs {
        tokio::task::yield_now().await;
    }
    Ok(tasks.len())
}

fn tasks(checksum: &Checksum, runs: usize) -> JoinSet<Result<(), checksum_api::Error>> {
    let mut tasks = JoinSet::new();
    for job in jobs(runs) {
        let client = checksum.raw().clone();
        tasks.spawn(async move {
            loop {
                let status = client.get_run_status_v2().job_name(&job);
                let status = status.execute().await?;
                if status.status == RunState::Passed {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    tasks
}

/// Returns the builder of a client whose runs pass after this many requests, and their number.
fn without_socket(requests: usize) -> Result<(ChecksumBuilder, Arc<AtomicUsize>), Error> {
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

fn jobs(runs: usize) -> impl Iterator<Item = JobName> {
    // Without spare capacity, as deserialised names are.
    let name = |number| format!("{JOB}-{number}").into_boxed_str().into_string();
    (0..runs).map(move |number| JobName::new(name(number)).expect("a job name"))
}
