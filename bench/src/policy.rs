//! How late poll policies notice the end of a run, and with how many requests, in paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api::ApiKey;
use checksum_api::types::JobName;
use checksum_api_ext::{ApiVersion, Checksum, PollPolicy, RunHandle};
use fastrand::Rng;
use tokio::time::Instant;

use crate::{Error, JOB, KEY};

/// Waits for this many runs, one after the other, and prints the mean lag in seconds, the mean number of
/// requests, and the score: `lag × requests / (mean duration / 2)`.
pub(crate) async fn run(policy: &str, durations: &str, runs: usize) -> Result<usize, Error> {
    tokio::time::pause();
    // The jitter follows from it.
    fastrand::seed(11);
    let mut random = Rng::with_seed(7);
    let (mut lag, mut total) = (Duration::ZERO, Duration::ZERO);
    let requests = Arc::new(AtomicUsize::new(0));
    for _ in 0..runs {
        let duration = Duration::from_secs_f64(duration(durations, &mut random)?);
        let (began, sent) = (Instant::now(), requests.clone());
        let client = Checksum::builder()
            .api_key(ApiKey::new(KEY)?)
            .poll_policy(of_name(policy)?)
            .transport(move |_| {
                sent.fetch_add(1, Ordering::Relaxed);
                let elapsed = began.elapsed();
                let body = match elapsed.as_secs() {
                    _ if elapsed >= duration => r#"{"status":"passed","passed":1,"failed":0}"#,
                    0..15 => r#"{"status":"queued"}"#,
                    _ => r#"{"status":"running"}"#,
                };
                std::future::ready(Ok(http::Response::new(body).into()))
            })
            .build()?;
        let handle = RunHandle::new(JobName::new(JOB)?).pin_api_version(ApiVersion::V1);
        client.resume_run(handle).await?;
        lag += began.elapsed() - duration;
        total += duration;
    }
    let mean = |sum: f64| sum / runs as f64;
    let lag = mean(lag.as_secs_f64());
    let sent = mean(requests.load(Ordering::Relaxed) as f64);
    println!("lag {lag}\nrequests {sent}");
    println!("score {}", lag * sent / (mean(total.as_secs_f64()) / 2.0));
    Ok(runs)
}

fn of_name(policy: &str) -> Result<PollPolicy, Error> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    Ok(match policy {
        "fixed" => PollPolicy::fixed(Duration::from_secs(10)),
        "default" => PollPolicy::default(),
        "expecting-8-minutes" => PollPolicy::expecting(minutes(8), 0.15),
        "expecting-2-hours" => PollPolicy::expecting(minutes(120), 0.15),
        _ => return Err(format!("no policy `{policy}`").into()),
    })
}

/// Returns how many seconds a run takes.
fn duration(name: &str, random: &mut Rng) -> Result<f64, Error> {
    Ok(match name {
        "uniform" => uniform(random, 300.0, 1500.0),
        // Quick and slow suites, small selections, and runs that fail at once.
        "mix" => match random.u8(0..100) {
            0..60 => lognormal(random, 480.0, 0.35),
            60..85 => lognormal(random, 1200.0, 0.2),
            85..95 => uniform(random, 60.0, 180.0),
            _ => uniform(random, 1.0, 20.0),
        },
        "8-minutes" => lognormal(random, 480.0, 0.15),
        "1-hour" => lognormal(random, 3600.0, 0.1),
        "2-hours" => lognormal(random, 7200.0, 0.15),
        _ => return Err(format!("no durations `{name}`").into()),
    })
}

fn uniform(random: &mut Rng, from: f64, to: f64) -> f64 {
    from + (to - from) * random.f64()
}

fn lognormal(random: &mut Rng, median: f64, spread: f64) -> f64 {
    // A sum of 12 uniform numbers has the variance 1.
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    median * (spread * normal).exp()
}
