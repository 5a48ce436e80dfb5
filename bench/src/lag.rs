//! How late the ends of many runs are noticed within the client's limit of requests, in paused time.

use std::time::{Duration, SystemTime};

use checksum_api::ApiKey;
use checksum_api_ext::{Checksum, Event, Handle, PollPolicy};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{Error, KEY};

/// How long the runs take, in seconds, by a share from 0 to 1 of them that take less.
type Length = fn(f64) -> f64;

/// Watches about this many runs at a time, and prints the mean lag and the one that 19 of 20 do not exceed,
/// in seconds. The case is how the runs start, how long they take and the order of polls. Returns how many
/// runs were counted.
pub(crate) async fn run(case: &str, runs: usize) -> Result<usize, Error> {
    let [starts, lengths, order] = case.split('-').collect::<Vec<_>>()[..] else {
        return Err("the case is STARTS-LENGTHS-ORDER".into());
    };
    let (length, mean): (Length, f64) = match lengths {
        "uniform" => (|share| 300.0 + 1_200.0 * share, 900.0),
        "known" => (
            |share| 480.0 * (share / (1.0 - share)).powf(0.15 / 1.7),
            480.0,
        ),
        _ => return Err(format!("no lengths `{lengths}`").into()),
    };
    let policy = match order {
        "turn" => PollPolicy::fixed(Duration::from_secs(10)),
        "default" => PollPolicy::default().seed(1),
        "expecting" => PollPolicy::expecting(Duration::from_secs(480), 0.15).seed(1),
        _ => return Err(format!("no order `{order}`").into()),
    };
    // The first runs are not counted, because the set is not behind with its polls yet.
    let (started, counted_from, every) = match starts {
        "together" => (runs, 0.0, 0.0),
        "steadily" => (5 * runs, 2.0 * mean, mean / runs as f64),
        _ => return Err(format!("no starts `{starts}`").into()),
    };

    tokio::time::pause();
    let began = Instant::now();
    let builder = Checksum::builder()
        .api_key(ApiKey::new(KEY)?)
        .poll_policy(policy)
        .transport(move |request: reqwest::Request| {
            let body = match began.elapsed() < end_of(request.url().path()) {
                true => r#"{"status":"running"}"#,
                false => r#"{"status":"passed","passed":1,"failed":0}"#,
            };
            std::future::ready(Ok(http::Response::new(body).into()))
        });
    let mut set = builder.build()?.watch([]);
    let adder = set.adder();
    tokio::spawn(async move {
        for number in 0..started {
            let start = every * number as f64;
            let share = (0.5 + 0.618_033_988_75 * number as f64).fract();
            let end = start + length(share.clamp(0.001, 0.999));
            adder.insert(handle(&format!("{number}-{:.0}", end * 1e3)));
            if every > 0.0 {
                sleep(Duration::from_secs_f64(every)).await;
            }
        }
    });
    let mut lags = Vec::new();
    while let Some((handle, event)) = set.next().await {
        let end = end_of(handle.id());
        let is_counted = end.as_secs_f64() >= counted_from;
        if matches!(event?, Event::Finished(_)) && is_counted {
            lags.push((began.elapsed() - end).as_secs_f64());
        }
    }
    lags.sort_by(f64::total_cmp);
    let mean = lags.iter().sum::<f64>() / lags.len() as f64;
    println!("lag {mean}\nlag-95 {}", lags[lags.len() * 95 / 100]);
    Ok(lags.len())
}

/// A run that is started now, with a name from which its end can be read. Its documented route alone is
/// polled.
fn handle(name: &str) -> Handle {
    let now = humantime::format_rfc3339(SystemTime::now()).to_string();
    let run = json!({ "jobName": name, "apiVersion": "v1", "pinned": true, "startedAt": now });
    serde_json::from_value(json!({ "run": run })).expect("a handle")
}

fn end_of(name: &str) -> Duration {
    let end = name.rsplit('-').next().unwrap_or_default();
    Duration::from_millis(end.parse().expect("an end"))
}
