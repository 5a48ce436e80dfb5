//! What `cargo xtask bench` measures: each case does one thing a given number of times, and prints how
//! often it did it. A case of this workspace has a peer, hand-written code that does the same.

#![expect(clippy::print_stdout, reason = "a program for valgrind")]

mod peer;
mod results;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api::types::{JobName, RunState, TestRunResults};
use checksum_api::{ApiKey, Client};
use checksum_api_ext::{Checksum, Handle, PollPolicy, RunHandle};
use tokio::task::JoinSet;

use crate::server::Server;

type Error = Box<dyn std::error::Error + Send + Sync>;

const KEY: &str = "key-of-the-benchmarks";
const JOB: &str = "job-name-12345";
/// The size of the set of runs that is watched.
const RUNS: usize = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().unwrap_or_default();
    if case == "serve" {
        return server::serve();
    }
    if case == "serve-results" || case == "results" {
        let place = arguments.next().ok_or("where?")?;
        let tests = arguments.next().ok_or("how many tests?")?.parse()?;
        let odd = arguments.next();
        if case == "serve-results" {
            return results::serve(&place, tests, odd.as_deref());
        }
        results::run(&place, tests, odd.as_deref()).await?;
        return Ok(());
    }
    let times = arguments.next().ok_or("how many times?")?.parse()?;
    let done = match case.as_str() {
        "status" => status(times).await?,
        "status-ext" => status_ext(times).await?,
        "status-peer" => peer::status(times, &Server::start()?).await?,
        "decode" => decode::<TestRunResults>(times, |results| results.tests.len())?,
        "decode-peer" => decode::<peer::Results>(times, |results| results.tests.len())?,
        "poll" => poll_set(times).await?,
        "poll-peer" => poll_by_tasks(times).await?,
        _ => return Err(format!("no case `{case}`").into()),
    };
    println!("{done}");
    Ok(())
}

/// Calls one operation on one connection.
async fn status(times: usize) -> Result<usize, Error> {
    let server = Server::start()?;
    let client = Client::builder(ApiKey::new(KEY)?).base_url(server.url.parse()?);
    let client = client.build()?;
    let job = JobName::new(JOB)?;
    for _ in 0..times {
        let status = client.get_run_status().job_name(&job).execute().await?;
        assert_eq!(status.status, RunState::Running);
    }
    Ok(times)
}

/// The same call by the extension crate.
async fn status_ext(times: usize) -> Result<usize, Error> {
    let server = Server::start()?;
    let checksum = Checksum::builder().api_key(ApiKey::new(KEY)?);
    let checksum = checksum.base_url(server.url.parse()?).build()?;
    let run = checksum.resume_run(RunHandle::new(JobName::new(JOB)?));
    for _ in 0..times {
        assert!(!run.status().await?.is_terminal());
    }
    Ok(times)
}

/// Decodes the results of ten thousand tests.
fn decode<T: serde::de::DeserializeOwned>(
    times: usize,
    count: impl Fn(T) -> usize,
) -> Result<usize, Error> {
    let body = server::results(10_000);
    for _ in 0..times {
        assert_eq!(count(serde_json::from_str(&body)?), 10_000);
    }
    Ok(times)
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
