//! The order of a set's polls when it has fewer than its policy asks for: the ends of runs that start one
//! after the other are noticed sooner, and no run is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use checksum_api_ext::{ApiVersion, Event, Handle, JobName, PollPolicy, RunHandle};
use checksum_tests::FakeTransport;
use serde_json::json;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// A run starts this often. Two polls can be made meanwhile.
const EVERY: Duration = Duration::from_secs(4);

/// How many runs start, and how many of the first are not counted, because the set is not behind yet.
const RUNS: u64 = 800;
const FIRST: u64 = 200;

/// A run whose name says when it starts and ends, in seconds. It is started when it is inserted.
fn run(start: u64, end: u64) -> Handle {
    let name = JobName::new(format!("job-{start}-{end}")).expect("a job name");
    let handle = RunHandle::new(name).pin_api_version(ApiVersion::V1);
    let mut stored = serde_json::to_value(handle).expect("JSON");
    stored["startedAt"] =
        json!(humantime::format_rfc3339(std::time::SystemTime::now()).to_string());
    Handle::Run(serde_json::from_value(stored).expect("a handle"))
}

/// Returns when the run with this name or path ends.
fn end_of(name: &str) -> Duration {
    let end = name.rsplit('-').next().expect("an end");
    Duration::from_secs(end.parse().expect("a number"))
}

/// Watches runs of 8 minutes, by one poll at a time, each of which takes two seconds. Returns the mean time
/// after which an end was noticed, in seconds, and the requests.
async fn watch(policy: PollPolicy) -> (f64, FakeTransport) {
    let transport = FakeTransport::new(|request| {
        let state = match request.at < end_of(&request.path) {
            true => "running",
            false => "passed",
        };
        json!({ "status": state }).into()
    });
    let transport = transport.latency(EVERY / 2);
    let builder = transport.builder().poll_policy(policy.seed(1));
    let checksum = builder.build().expect("a client");
    let began = Instant::now();
    // These runs never end.
    let mut set = checksum.watch((0..5).map(|start| run(start, 1_000_000)));
    set = set.max_concurrent(1);
    let adder = set.adder();
    tokio::spawn(async move {
        for number in 0..RUNS {
            let start = EVERY.as_secs() * number;
            // Two thirds take up to 15% more or less than 8 minutes.
            let share = (0.5 + 0.618_034 * number as f64)
                .fract()
                .clamp(0.001, 0.999);
            let length = 480.0 * (share / (1.0 - share)).powf(0.15 / 1.7);
            let end = start + length as u64;
            adder.insert(run(start, end));
            sleep(EVERY).await;
        }
    });
    let (mut lag, mut ended) = (0.0, 0);
    while ended < RUNS {
        let (handle, event) = set.next().await.expect("runs that never end");
        if let Event::Finished(_) = event.expect("an event") {
            ended += 1;
            let end = end_of(handle.id());
            if end > u32::try_from(FIRST).expect("few") * EVERY {
                lag += (began.elapsed() - end).as_secs_f64();
            }
        }
    }
    (lag / (RUNS - FIRST) as f64, transport)
}

#[tokio::test(start_paused = true)]
async fn polls_are_made_where_an_end_is_likely_and_no_run_is_forgotten() {
    let (in_turn, _) = watch(PollPolicy::fixed(10 * SECOND)).await;
    for (policy, share, longest) in [
        (PollPolicy::default(), 0.6, 300),
        (PollPolicy::expecting(480 * SECOND, 0.15), 0.35, 300),
    ] {
        let (lag, transport) = watch(policy).await;
        assert!(lag < share * in_turn, "{lag} s, in turn {in_turn} s");
        let mut polled = BTreeMap::new();
        let mut gaps = Vec::new();
        let log = transport.log();
        let end = log.last().expect("a request").at;
        for request in log {
            let last = polled.insert(request.path.clone(), request.at);
            gaps.push((request.at - last.unwrap_or_default(), request.path));
        }
        // Otherwise a run that was polled once and then forgotten would have no gap.
        gaps.extend(polled.into_iter().map(|(path, last)| (end - last, path)));
        gaps.retain(|(_, path)| path.ends_with("-1000000"));
        let paths: BTreeSet<&String> = gaps.iter().map(|(_, path)| path).collect();
        assert_eq!(paths.len(), 5, "{paths:?}");
        let gap = gaps.into_iter().max();
        assert!(gap < Some((longest * SECOND, String::new())), "{gap:?}");
    }
}
