//! A set of runs and batches: what it watches, what it reports, and what can be stored meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use checksum_api_ext::{
    ApiVersion, Error, Event, Handle, HealOptions, JobName, PollPolicy, PrNumber, RunHandle,
    TestRunId, WatchSet,
};
use checksum_mock::{BatchScript, Mock, RunScript};
use checksum_tests::{FakeTransport, client_of};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Runs that pass after a while. Each request takes 100 ms.
fn runs_of(length: Duration) -> FakeTransport {
    let transport = FakeTransport::new(move |request| {
        let state = match request.at < length {
            true => "running",
            false => "passed",
        };
        json!({ "status": state }).into()
    });
    transport.latency(SECOND / 10)
}

fn watch(transport: &FakeTransport, policy: PollPolicy, handles: Vec<Handle>) -> WatchSet {
    let builder = transport.builder().poll_policy(policy.jitter(0.0));
    builder.build().expect("a client").watch(handles)
}

fn job(number: usize) -> Handle {
    let name = JobName::new(format!("job-{number}")).expect("a job name");
    RunHandle::new(name).pin_api_version(ApiVersion::V1).into()
}

fn jobs(count: usize) -> Vec<Handle> {
    (0..count).map(job).collect()
}

/// Returns how each work ended, in this order.
async fn ends(set: &mut WatchSet) -> Vec<(Handle, Result<bool, Error>)> {
    let mut ends = Vec::new();
    while let Some((handle, event)) = set.next().await {
        match event {
            Ok(Event::Finished(report)) => ends.push((handle, Ok(report.is_success()))),
            Ok(_) => {}
            Err(error) => ends.push((handle, Err(error))),
        }
    }
    ends
}

/// Returns the keys of the works that passed, sorted.
async fn passed(set: &mut WatchSet) -> Vec<String> {
    let ends = ends(set).await.into_iter();
    let passed = ends.filter(|(_, end)| matches!(end, Ok(true)));
    let mut keys: Vec<String> = passed.map(|(handle, _)| handle.to_string()).collect();
    keys.sort();
    keys
}

#[tokio::test(start_paused = true)]
async fn five_hundred_runs_are_polled_fairly() {
    let transport = runs_of(600 * SECOND);
    let mut set = watch(&transport, PollPolicy::default(), jobs(500)).max_concurrent(4);
    let keys: BTreeSet<String> = passed(&mut set).await.into_iter().collect();
    assert_eq!(keys.len(), 500);
    assert!(set.is_empty());
    assert!(transport.max_in_flight() <= 4);

    let log = transport.log();
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for request in &log {
        *counts.entry(request.path.clone()).or_default() += 1;
    }
    let (least, most) = (counts.values().min(), counts.values().max());
    assert!(most <= least.map(|least| least + 2).as_ref(), "{counts:?}");
    // The last end is noticed one round after the first at the latest.
    assert!(log.last().is_some_and(|last| last.at < 640 * SECOND));
    // The client's budget is 25 a second.
    for (earlier, later) in log.iter().zip(&log[25..]) {
        assert!(later.at - earlier.at >= SECOND * 99 / 100, "{later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_concurrency_is_used_and_never_exceeded() {
    for max_concurrent in [0, 1, 4] {
        let transport = runs_of(60 * SECOND);
        let builder = transport.builder().max_requests_per_second(1_000);
        let mut set = builder.build().expect("a client").watch(jobs(50));
        set = set.max_concurrent(max_concurrent);
        assert_eq!(passed(&mut set).await.len(), 50);
        assert_eq!(transport.max_in_flight(), max_concurrent.max(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_of_one_run_polls_like_a_single_wait() {
    let in_a_set = runs_of(300 * SECOND);
    passed(&mut watch(&in_a_set, PollPolicy::default(), jobs(1))).await;
    let alone = runs_of(300 * SECOND);
    let Handle::Run(handle) = job(0) else {
        unreachable!("a run")
    };
    let builder = alone
        .builder()
        .poll_policy(PollPolicy::default().jitter(0.0));
    let checksum = builder.build().expect("a client");
    checksum.resume_run(handle).await.expect("a report");
    let times = |transport: &FakeTransport| -> Vec<Duration> {
        transport.log().iter().map(|request| request.at).collect()
    };
    assert_eq!(times(&in_a_set), times(&alone));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_used_and_never_exceeded() {
    for per_second in [200_u32, 1_000] {
        let transport = runs_of(3_600 * SECOND);
        let checksum = transport
            .builder()
            .poll_policy(PollPolicy::fixed(SECOND))
            .max_requests_per_second(per_second)
            .build()
            .expect("a client");
        let mut set = checksum.watch(jobs(1_500)).max_concurrent(500);
        let _ = timeout(5 * SECOND, ends(&mut set)).await;
        let log = transport.log();
        let count = log.len() as u32;
        assert!(count >= per_second * 47 / 10, "{count} at {per_second}");
        for (earlier, later) in log.iter().zip(&log[per_second as usize..]) {
            let window = later.at - earlier.at;
            assert!(window >= SECOND * 95 / 100, "{window:?}");
        }
    }
}

/// Meanwhile nothing polls the set, and one of its polls waits for the budget.
#[tokio::test(start_paused = true)]
async fn other_work_is_awaited_while_an_event_of_a_set_is_handled() {
    let transport = runs_of(3 * SECOND);
    let builder = transport.builder().max_requests_per_second(2);
    let checksum = builder.build().expect("a client");
    let mut set = checksum.watch(jobs(20));
    set.next().await.expect("an event").1.expect("a status");
    let other = RunHandle::new(JobName::new("other").expect("a job name"));
    let other = checksum.resume_run(other.pin_api_version(ApiVersion::V1));
    let waited = timeout(60 * SECOND, other.wait()).await;
    waited.expect("it does not hang").expect("a report");
}

#[tokio::test(start_paused = true)]
async fn a_set_grows_and_shrinks_and_is_resumed() {
    let transport = runs_of(100 * SECOND);
    let policy = PollPolicy::fixed(10 * SECOND);
    let mut set = watch(&transport, policy, jobs(3));
    assert!(!set.insert(job(1)), "it is watched already");
    let began = Instant::now();
    // A wait for an item that is dropped loses nothing.
    while began.elapsed() < 30 * SECOND && timeout(15 * SECOND, set.next()).await.is_ok() {}
    assert!(set.remove(&job(0)));
    assert!(!set.remove(&job(0)));
    assert!(set.insert(job(7)));
    let stored = serde_json::to_string(&set.iter().collect::<Vec<_>>()).expect("JSON");
    drop(set);

    let handles: Vec<Handle> = serde_json::from_str(&stored).expect("handles");
    let mut set = watch(&transport, policy, handles);
    assert_eq!(set.len(), 3);
    assert_eq!(
        passed(&mut set).await,
        ["run:job-1", "run:job-2", "run:job-7"]
    );
    // It goes on after it was empty.
    assert!(set.insert(job(9)));
    assert_eq!(passed(&mut set).await, ["run:job-9"]);
}

#[tokio::test(start_paused = true)]
async fn an_adder_inserts_from_another_task_and_keeps_the_stream_pending() {
    let transport = runs_of(4_000 * SECOND);
    let mut set = watch(&transport, PollPolicy::fixed(10 * SECOND), Vec::new());
    assert!(set.next().await.is_none(), "without an adder it ends");
    let adder = set.adder();
    let second = set.adder();
    let began = Instant::now();
    let wait = timeout(3_600 * SECOND, set.next()).await;
    wait.expect_err("with an adder it is pending");

    tokio::spawn(async move {
        for number in [1, 2, 2] {
            tokio::time::sleep(50 * SECOND).await;
            assert!(adder.insert(job(number)));
        }
        drop(adder);
        tokio::time::sleep(500 * SECOND).await;
        assert!(second.insert(job(3)));
    });
    assert_eq!(
        passed(&mut set).await,
        ["run:job-1", "run:job-2", "run:job-3"]
    );
    assert_eq!(began.elapsed().as_secs(), 3_600 + 650);
    let adder = set.adder();
    drop(set);
    assert!(!adder.insert(job(4)), "the set was dropped");
}

#[tokio::test(start_paused = true)]
async fn handles_that_have_an_id_in_common_are_one_work() {
    let name = || JobName::new("job").expect("a job name");
    let id = || TestRunId::new("run-id").expect("an id");
    let both = || RunHandle::known_by(Some(name()), Some(id())).expect("a handle");
    let by_name = || RunHandle::new(name());
    let by_id = || RunHandle::from_test_run_id(id());
    for (first, second, is_same) in [
        (both(), by_name(), true),
        (both(), by_id(), true),
        (by_name(), both(), true),
        (by_id(), both(), true),
        // Nobody knows yet that these are one run.
        (by_name(), by_id(), false),
    ] {
        let (first, second) = (Handle::from(first), Handle::from(second));
        assert_eq!(first.is_same_work(&second), is_same);
        let transport = runs_of(SECOND);
        let mut set = watch(&transport, PollPolicy::immediate(), vec![first]);
        assert_eq!(set.insert(second.clone()), !is_same);
        assert!(set.remove(&second));
        assert_eq!(set.is_empty(), is_same);
    }
}

#[test]
fn the_key_of_a_handle_is_stable_and_can_be_parsed() {
    let run = |json| serde_json::from_value::<Handle>(json).expect("a handle");
    for (json, key) in [
        (json!({ "run": { "jobName": "a:b" } }), "run:a:b"),
        (
            json!({ "run": { "jobName": "a:b", "testRunId": "c", "apiVersion": "v1" } }),
            "run:a:b",
        ),
        (json!({ "run": { "testRunId": "c" } }), "test-run:c"),
        (json!({ "healBatch": "d" }), "heal-batch:d"),
        (json!({ "generationBatch": "d" }), "generation-batch:d"),
    ] {
        let handle = run(json);
        assert_eq!(handle.to_string(), key);
        let parsed: Handle = key.parse().expect("a handle");
        assert_eq!(parsed.to_string(), key);
        assert!(parsed.is_same_work(&handle));
        assert_eq!(Some(parsed.id()), key.split_once(':').map(|(_, id)| id));
    }
    for key in ["", "a", "run", "run:", "run:..", "walk:a", "RUN:a"] {
        key.parse::<Handle>().expect_err(key);
    }
}

#[tokio::test(start_paused = true)]
async fn stored_handles_include_each_run_that_has_not_finished() {
    let transport = runs_of(100 * SECOND);
    let mut set = watch(&transport, PollPolicy::fixed(10 * SECOND), jobs(2));
    let mut reported = BTreeSet::new();
    while let Some((handle, event)) = set.next().await {
        if matches!(event, Ok(Event::Finished(_))) {
            reported.insert(handle.to_string());
        }
        // A process that is killed here finds each run among what was reported or what it stored.
        let stored: BTreeSet<String> = set.iter().map(|handle| handle.to_string()).collect();
        assert!(reported.is_disjoint(&stored));
        assert_eq!(reported.len() + stored.len(), 2, "{reported:?}, {stored:?}");
        assert_eq!(stored.len(), set.len());
    }
    assert_eq!(reported.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn runs_and_batches_together() {
    let mock = Mock::builder().without_socket();
    let checksum = client_of(&mock);
    mock.next_run(RunScript::new().fail_tests(["test-1"]));
    let run = checksum.run_suite().start().await.expect("a run");
    let failed = run.await.expect("a report");
    mock.next_heal(BatchScript::new().fail_all());
    let repo = "acme-co/my-tests".parse().expect("a name");
    let heal = failed.heal(HealOptions::open_pull_request(repo));
    let heal = heal.expect("a test run id").start().await.expect("a batch");
    let repo = "acme-co/webapp".parse().expect("a name");
    let number = PrNumber::new(42).expect("a number");
    let generation = checksum.generate(repo, number, "branch").start().await;
    let generation = generation.expect("a batch");
    let run = checksum.run_grep("checkout").start().await.expect("a run");
    let unknown: JobName = "nobody-knows-it".parse().expect("a name");

    let mut set = checksum.watch([
        Handle::from(&heal),
        Handle::from(&generation),
        Handle::from(&run),
        unknown.into(),
    ]);
    let mut lines = Vec::new();
    let mut states = BTreeSet::new();
    // By the trait `Stream`, as a combinator reads it.
    while let Some((handle, event)) = StreamExt::next(&mut set).await {
        let kind = handle.to_string();
        let kind = kind.split(':').next().unwrap_or_default();
        match event {
            Ok(Event::Changed { current, .. }) => {
                states.insert(format!("{kind} {}", current.state()));
            }
            Ok(Event::Finished(report)) => {
                lines.push(format!(
                    "{kind} {}: {}",
                    report.state(),
                    report.is_success()
                ));
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => lines.push(format!("{kind}: not found: {}", error.is_not_found())),
        }
    }
    lines.sort();
    assert_eq!(
        lines,
        [
            "generation-batch completed: true",
            "heal-batch failed: false",
            "run passed: true",
            "run: not found: true",
        ]
    );
    assert!(states.contains("run running") && states.contains("heal-batch failed"));
}
