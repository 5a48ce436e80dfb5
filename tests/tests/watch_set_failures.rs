//! A set of runs during outages, pauses by `Retry-After`, and deadlines.

use std::ops::Range;
use std::time::Duration;

use checksum_api_ext::{
    ApiKey, ApiVersion, Error, ErrorKind, Event, Handle, JobName, PollPolicy, RunHandle, WatchSet,
};
use checksum_mock::Mock;
use checksum_tests::{FakeResponse, FakeTransport, client_of};
use serde_json::json;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn seconds(range: Range<u64>) -> Range<Duration> {
    Duration::from_secs(range.start)..Duration::from_secs(range.end)
}

/// Runs that pass after a while, but for requests during an outage. Each request takes 100 ms.
fn runs_of(length: Duration, outage: Range<u64>, response: FakeResponse) -> FakeTransport {
    let outage = seconds(outage);
    let transport = FakeTransport::new(move |request| {
        if outage.contains(&request.at) {
            return response.clone();
        }
        let state = match request.at < length {
            true => "running",
            false => "passed",
        };
        json!({ "status": state }).into()
    });
    transport.latency(SECOND / 10)
}

fn unavailable(retry_after: u64) -> FakeResponse {
    FakeResponse::status(503).header("retry-after", retry_after.to_string())
}

fn watch(transport: &FakeTransport, policy: PollPolicy, count: usize) -> WatchSet {
    let builder = transport.builder().poll_policy(policy.jitter(0.0));
    builder.build().expect("a client").watch(jobs(count))
}

fn jobs(count: usize) -> Vec<Handle> {
    let job = |number| {
        let name = JobName::new(format!("job-{number}")).expect("a job name");
        RunHandle::new(name).pin_api_version(ApiVersion::V1).into()
    };
    (0..count).map(job).collect()
}

/// Returns how each work ended, and when.
async fn ends(set: &mut WatchSet) -> Vec<(String, Result<bool, Error>, Duration)> {
    let began = Instant::now();
    let mut ends = Vec::new();
    while let Some((handle, event)) = set.next().await {
        let end = match event {
            Ok(Event::Finished(report)) => Ok(report.is_success()),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        ends.push((handle.to_string(), end, began.elapsed()));
    }
    ends
}

/// Waits until each of `count` works has passed.
async fn all_pass(set: &mut WatchSet, count: usize) {
    let ends = ends(set).await;
    assert_eq!(ends.len(), count);
    assert!(
        ends.iter().all(|(_, end, _)| matches!(end, Ok(true))),
        "{ends:?}"
    );
}

fn requests_within(transport: &FakeTransport, range: Range<u64>) -> usize {
    let range = seconds(range);
    let log = transport.log();
    log.iter().filter(|one| range.contains(&one.at)).count()
}

#[tokio::test(start_paused = true)]
async fn an_outage_slows_all_polls_down_and_ends_no_wait() {
    let outage = FakeResponse::status(503);
    let transport = runs_of(900 * SECOND, 100..400, outage);
    let policy = PollPolicy::fixed(10 * SECOND);
    all_pass(&mut watch(&transport, policy, 200), 200).await;
    let count = requests_within(&transport, 101..400);
    assert!((10..=40).contains(&count), "{count} polls in 300 s");
}

#[tokio::test(start_paused = true)]
async fn retry_after_pauses_all_polls() {
    let transport = runs_of(300 * SECOND, 50..51, unavailable(90));
    let policy = PollPolicy::fixed(10 * SECOND);
    all_pass(&mut watch(&transport, policy, 100), 100).await;
    // Polls that are in flight when the first of these responses comes are not cancelled.
    assert_eq!(requests_within(&transport, 51..140), 0);
    assert!(requests_within(&transport, 140..142) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_a_day_pauses_the_others_for_minutes_at_most() {
    let transport = runs_of(2_000 * SECOND, 50..51, unavailable(86_400));
    let policy = PollPolicy::fixed(10 * SECOND);
    all_pass(&mut watch(&transport, policy, 20), 20).await;
    let log = transport.log();
    let longest = log.windows(2).map(|pair| pair[1].at - pair[0].at).max();
    assert!(
        longest.is_some_and(|gap| gap <= 305 * SECOND),
        "{longest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_for_good_ends_alone() {
    let transport = FakeTransport::new(|request| match request.path.ends_with("/job-3") {
        true => FakeResponse::status(503),
        false if request.at < 1_200 * SECOND => json!({ "status": "running" }).into(),
        false => json!({ "status": "passed" }).into(),
    });
    let policy = PollPolicy::fixed(10 * SECOND);
    let ends = ends(&mut watch(&transport, policy, 20)).await;
    let (failed, passed): (Vec<_>, Vec<_>) = ends.iter().partition(|(_, end, _)| end.is_err());
    assert_eq!(passed.len(), 19);
    let [(key, Err(error), at)] = failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(key, "run:job-3");
    assert_eq!(error.kind(), ErrorKind::PollingFailed);
    assert!((300 * SECOND..330 * SECOND).contains(at), "{at:?}");
}

/// Each with a `Retry-After` of a day.
#[tokio::test(start_paused = true)]
async fn runs_that_fail_for_good_do_not_hold_the_others_back() {
    let transport = FakeTransport::new(|request| {
        let number = request.path.rsplit('-').next().unwrap_or_default();
        match number.parse::<usize>().expect("a number") % 2 {
            0 => unavailable(86_400),
            _ => json!({ "status": "passed", "passed": 1, "failed": 0 }).into(),
        }
    });
    let ends = ends(&mut watch(&transport, PollPolicy::default(), 20)).await;
    let passed: Vec<_> = ends.iter().filter(|(_, end, _)| end.is_ok()).collect();
    assert_eq!(passed.len(), 10);
    assert!(
        passed.iter().all(|(_, _, at)| *at <= 310 * SECOND),
        "{passed:?}"
    );
}

/// A key that is rotated late, and a fixed key that is revoked.
#[tokio::test(start_paused = true)]
async fn a_rejected_key_ends_the_waits_of_a_set_only_if_it_is_fixed() {
    for is_fixed in [false, true] {
        let unauthorized = FakeResponse::status(401);
        let transport = runs_of(900 * SECOND, 100..250, unauthorized);
        let policy = PollPolicy::fixed(10 * SECOND);
        let mut builder = transport.builder().poll_policy(policy);
        if !is_fixed {
            builder = builder.api_key_provider(|| async { ApiKey::new("one-key") });
        }
        let mut set = builder.build().expect("a client").watch(jobs(50));
        if !is_fixed {
            all_pass(&mut set, 50).await;
            let count = requests_within(&transport, 101..250);
            assert!(count <= 40, "401 counts as an outage: {count} polls");
            continue;
        }
        // The item has the handle, so that nothing is lost.
        let ends = ends(&mut set).await;
        assert_eq!(ends.len(), 50);
        let is_unauthorized = |end: &Result<bool, Error>| {
            end.as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Unauthorized)
        };
        assert!(ends.iter().all(|(_, end, _)| is_unauthorized(end)));
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_hold_while_retry_after_pauses_the_set() {
    let transport = runs_of(3_600 * SECOND, 100..110, unavailable(3_000));
    let policy = PollPolicy::fixed(10 * SECOND).deadline(500 * SECOND);
    let ends = ends(&mut watch(&transport, policy, 50)).await;
    assert_eq!(ends.len(), 50);
    for (key, end, at) in ends {
        assert!(
            end.is_err_and(|error| error.is_deadline_exceeded()),
            "{key}"
        );
        assert_eq!(at.as_secs(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_polls_each_work_once() {
    let policy = PollPolicy::fixed(10 * SECOND).deadline(Duration::ZERO);
    let transport = runs_of(Duration::ZERO, 0..0, unavailable(0));
    all_pass(&mut watch(&transport, policy, 50), 50).await;

    let transport = runs_of(3_600 * SECOND, 0..0, unavailable(0));
    let ends = ends(&mut watch(&transport, policy, 50)).await;
    let is_exceeded =
        |end: &Result<bool, Error>| end.as_ref().is_err_and(Error::is_deadline_exceeded);
    assert!(ends.iter().all(|(_, end, _)| is_exceeded(end)));
    assert_eq!(transport.log().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_comes_in_time_counts_if_the_test_run_id_does_not() {
    let transport = runs_of(10 * SECOND, 0..0, unavailable(0));
    let policy = PollPolicy::fixed(10 * SECOND).deadline(10 * SECOND + SECOND / 4);
    let handle = json!({ "run": { "jobName": "job-1", "apiVersion": "v1" } });
    let handle: Handle = serde_json::from_value(handle).expect("a handle");
    let mut set = watch(&transport, policy, 0);
    set.insert(handle);
    all_pass(&mut set, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_resumed_set_tolerates_404_for_new_work_alone() {
    let mock = Mock::builder().without_socket();
    let handle = |name: &str, started_at: String| -> Handle {
        let run = json!({ "run": { "jobName": name, "startedAt": started_at } });
        serde_json::from_value(run).expect("a handle")
    };
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let mut set = client_of(&mock).watch([
        handle("new", now),
        handle("old", "2020-02-20T20:20:20Z".to_owned()),
        Handle::from(JobName::new("of-unknown-age").expect("a job name")),
    ]);
    let mut ends: Vec<_> = ends(&mut set)
        .await
        .into_iter()
        .map(|(key, end, at)| {
            assert!(end.is_err_and(|error| error.is_not_found()), "{key}");
            (key, at > 20 * SECOND)
        })
        .collect();
    ends.sort();
    let expected = [
        ("run:new", true),
        ("run:of-unknown-age", false),
        ("run:old", false),
    ];
    assert_eq!(
        ends,
        expected.map(|(key, is_late)| (key.to_owned(), is_late))
    );
}
