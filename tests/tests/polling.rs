//! How a wait polls: which route it uses, how often, which failures it tolerates, and what it reports.

use std::time::Duration;

use checksum_api_ext::{
    ApiKey, ApiVersion, Error, ErrorKind, Event, JobName, PollPolicy, Run, RunEvent, RunHandle,
};
use checksum_tests::{FakeResponse, FakeTransport, Script};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn handle() -> RunHandle {
    RunHandle::new(JobName::new("job").expect("a job name"))
}

fn passed() -> Value {
    json!({ "status": "passed", "passed": 1, "failed": 0 })
}

fn running() -> Value {
    json!({ "status": "running" })
}

/// A run that is polled by the v1 route alone.
fn v1_run(transport: &FakeTransport) -> Run {
    let handle = handle().pin_api_version(ApiVersion::V1);
    transport.client().resume_run(handle)
}

async fn all_events(run: &Run) -> Vec<Result<RunEvent, Error>> {
    let mut events = run.events();
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        all.push(event);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn transient_errors_are_reported_and_tolerated() {
    let transport = FakeTransport::in_order([
        running().into(),
        FakeResponse::status(500),
        FakeResponse::status(408),
        FakeResponse::status(425),
        FakeResponse::status(200).body("<html>Sign in</html>"),
        FakeResponse::status(200).body("{\"status\": \"runn"),
        FakeResponse::status(429).header("retry-after", "120"),
        passed().into(),
    ]);
    let events = all_events(&v1_run(&transport)).await;
    let lines: Vec<String> = events
        .into_iter()
        .map(|event| match event.expect("an event") {
            Event::Changed { previous, current } => {
                let previous = previous.map(|status| status.state().to_string());
                format!("{previous:?} -> {}", current.state())
            }
            Event::PollFailed(failure) => format!(
                "failing for {:?}, next in {:?}",
                failure.failing_for, failure.next_poll_in
            ),
            Event::PollRecovered { after } => format!("recovered after {after:?}"),
            Event::Finished(report) => format!("finished {}", report.outcome()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "None -> running",
            "failing for 0ns, next in 10s",
            "failing for 10s, next in 10s",
            "failing for 20s, next in 10s",
            "failing for 30s, next in 10s",
            "failing for 40s, next in 10s",
            "failing for 50s, next in 120s",
            "recovered after 170s",
            "Some(\"running\") -> passed",
            "finished passed",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn events_can_be_sent_through_a_broadcast_channel() {
    let transport = FakeTransport::in_order([FakeResponse::status(503), passed().into()]);
    let (sender, mut receiver) = tokio::sync::broadcast::channel::<RunEvent>(8);
    let mut second = sender.subscribe();
    for event in all_events(&v1_run(&transport)).await {
        sender.send(event.expect("an event")).expect("a receiver");
    }
    for receiver in [&mut receiver, &mut second] {
        let failure = receiver.recv().await.expect("an event");
        let json = serde_json::to_value(&failure).expect("JSON");
        assert_eq!(json["event"], "poll-failed");
        let Event::PollFailed(failure) = failure else {
            panic!("{failure:?}")
        };
        assert_eq!(failure.error.status_code(), Some(503));
        assert_eq!(json["error"], failure.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn polling_fails_after_the_error_timeout() {
    let transport = FakeTransport::always(FakeResponse::status(503));
    let policy = PollPolicy::fixed(10 * SECOND).error_timeout(60 * SECOND);
    let error = v1_run(&transport).with_poll_policy(policy).await;
    let error = error.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::PollingFailed);
    assert_eq!(
        error.to_string(),
        "polling run job failed for 60 s; its outcome is unknown: \
         get_run_status (GET /public-api/v1/execution/status/job): \
         503 Service Unavailable: an empty body; retryable"
    );
    assert_eq!(transport.requests().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn polling_does_not_fail_before_the_third_failure_in_a_row() {
    let slow = PollPolicy::fixed(400 * SECOND);
    for (failures, is_tolerated) in [(2, true), (3, false)] {
        let failures = vec![FakeResponse::status(503); failures];
        let transport = FakeTransport::from(Script::in_order(failures).then_always(passed()));
        let began = tokio::time::Instant::now();
        match v1_run(&transport).with_poll_policy(slow).await {
            Ok(report) => assert!(is_tolerated && report.is_success()),
            Err(error) => assert!(!is_tolerated && error.kind() == ErrorKind::PollingFailed),
        }
        assert_eq!(began.elapsed(), 800 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_transient_ends_the_wait_at_once() {
    for status in [400, 401, 403, 404, 410, 422] {
        let transport = FakeTransport::always(FakeResponse::status(status));
        let error = v1_run(&transport).await.expect_err("an error");
        assert_eq!(error.status_code(), Some(status));
        assert_eq!(transport.requests().len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_key_provider_401_is_tolerated_for_the_error_timeout() {
    for (rejected, is_tolerated) in [(3, true), (usize::MAX, false)] {
        let script = match is_tolerated {
            true => Script::in_order(vec![FakeResponse::status(401); rejected]),
            false => Script::always(FakeResponse::status(401)),
        };
        let transport = FakeTransport::from(script.then_always(match is_tolerated {
            true => passed().into(),
            false => FakeResponse::status(401),
        }));
        let builder = transport
            .builder()
            .api_key_provider(|| async { ApiKey::new("a-key-that-is-not-replaced-in-time") });
        let checksum = builder.build().expect("a client");
        let run = checksum.resume_run(handle().pin_api_version(ApiVersion::V1));
        let began = tokio::time::Instant::now();
        match run.await {
            Ok(report) => assert!(is_tolerated && report.is_success()),
            Err(error) => {
                assert!(!is_tolerated && error.is_unauthorized());
                assert_eq!(error.kind(), ErrorKind::PollingFailed);
                assert_eq!(began.elapsed(), 300 * SECOND);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_never_sooner_than_the_interval_nor_later_than_the_error_timeout() {
    for (retry_after, expected) in [
        ("0", &[10, 10, 10][..]),
        ("Wed, 21 Oct 2015 07:28:00 GMT", &[10, 10, 10]),
        ("25", &[25, 25, 25]),
        ("86400", &[300, 10]),
        ("18446744073709551615", &[300, 10]),
    ] {
        let busy = FakeResponse::status(503).header("retry-after", retry_after);
        let transport = FakeTransport::always(busy);
        let events = all_events(&v1_run(&transport)).await;
        let intervals: Vec<u64> = events
            .into_iter()
            .filter_map(|event| match event.ok()? {
                Event::PollFailed(failure) => Some(failure.next_poll_in.as_secs()),
                _ => None,
            })
            .collect();
        assert_eq!(intervals[..expected.len()], *expected, "{retry_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_route_that_responds_is_kept_by_the_run_and_its_handle_stays_as_it_is() {
    let named = json!({ "status": "passed", "testRunId": "run-id" });
    let transport = FakeTransport::by_path([
        (
            "/v2/execution/status/job",
            Script::in_order([FakeResponse::status(404)]).then_always(named),
        ),
        (
            "/v1/execution/status/job",
            Script::in_order([running(), running()]).then_always(passed()),
        ),
    ]);
    let run = transport.client().resume_run(handle());
    let report = run.clone().await.expect("a report");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    let learned = [
        "0 GET /v2/execution/status/job",
        "0 GET /v1/execution/status/job",
        "10 GET /v1/execution/status/job",
        "20 GET /v1/execution/status/job",
        // The test run id, and the confirmation that it makes possible.
        "20 GET /v2/execution/status/job",
        "20 GET /v1/execution/status/run/run-id",
    ];
    assert_eq!(transport.requests(), learned);
    assert_eq!(run.handle(), handle());
    all_events(&run).await;
    let again = transport.requests().split_off(learned.len());
    assert_eq!(again[0], "20 GET /v1/execution/status/job");
}

/// A run has the same outcome whether it is known by its job name or by both ids.
#[tokio::test(start_paused = true)]
async fn a_run_resumed_by_its_job_name_is_confirmed_by_its_test_run_id() {
    for version in ["v1", "v2"] {
        let path = match version {
            "v1" => "/v1/execution/status/job",
            _ => "/v2/execution/status/job",
        };
        let named = json!({ "status": "passed", "passed": 1, "failed": 0, "testRunId": "run-id" });
        let mut scripts = vec![("/v2/execution/status/job", Script::always(named))];
        if version == "v1" {
            scripts.push((path, Script::always(passed())));
        }
        let judged = json!({ "status": "failed", "isTerminal": true, "verdict": "fail" });
        scripts.push(("/v1/execution/status/run/run-id", Script::always(judged)));
        let transport = FakeTransport::by_path(scripts);
        let stored = json!({ "jobName": "job", "apiVersion": version });
        let handle: RunHandle = serde_json::from_value(stored).expect("a handle");
        let report = transport.client().resume_run(handle).await;
        assert!(!report.expect("a report").is_success(), "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_run_id_from_the_start_is_not_requested_again() {
    let transport = FakeTransport::by_path([
        (
            "/v1/execution/suite",
            Script::in_order([json!({ "name": "job", "runId": "run-id" })]),
        ),
        ("/v1/execution/status/job", Script::in_order([passed()])),
    ]);
    let run = transport.client().run_suite().start().await.expect("a run");
    assert_eq!(run.test_run_id().map(|id| id.as_str()), Some("run-id"));
    let stored = serde_json::to_string(&run.handle()).expect("JSON");
    let handle: RunHandle = serde_json::from_str(&stored).expect("a handle");
    let report = transport.client().resume_run(handle).await;
    let report = report.expect("a report");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    assert_eq!(
        transport.requests(),
        [
            "0 POST /v1/execution/suite",
            "0 GET /v1/execution/status/job",
            "0 GET /v1/execution/status/run/run-id",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_stops_polling() {
    let transport = FakeTransport::always(running());
    let wait = tokio::time::timeout(25 * SECOND, v1_run(&transport).wait());
    wait.await.expect_err("still running");
    tokio::time::sleep(1_000 * SECOND).await;
    assert_eq!(transport.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn single_waits_share_the_clients_budget() {
    let transport = FakeTransport::always(FakeResponse::status(503));
    let builder = transport.builder().max_requests_per_second(10);
    let checksum = builder.build().expect("a client");
    let run = checksum.resume_run(handle().pin_api_version(ApiVersion::V1));
    let waits: Vec<_> = (0..200).map(|_| tokio::spawn(run.clone().wait())).collect();
    tokio::time::sleep(100 * SECOND).await;
    waits.iter().for_each(tokio::task::JoinHandle::abort);
    let mut per_second = std::collections::BTreeMap::<u64, u32>::new();
    for request in transport.log() {
        *per_second.entry(request.at.as_secs()).or_default() += 1;
    }
    assert!(per_second.values().all(|count| *count <= 10));
    assert!(per_second.len() >= 99, "the budget is used: {per_second:?}");
}

#[tokio::test(start_paused = true)]
async fn the_budget_alone_bounds_immediate_polls_of_a_transport_of_ones_own() {
    let transport = FakeTransport::always(running());
    let policy = PollPolicy::immediate().deadline(10 * SECOND);
    let error = v1_run(&transport).with_poll_policy(policy).await;
    assert!(error.expect_err("running").is_deadline_exceeded());
    let requests = transport.requests().len();
    assert!((200..=251).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_of_a_status_are_kept() {
    let status = json!({ "status": "failed", "shards": [1], "failureReason": "x" });
    let status = v1_run(&FakeTransport::always(status)).status().await;
    let status = status.expect("a status");
    assert_eq!(status.unknown_fields()["shards"], json!([1]));
    assert_eq!(status.failure_reason(), Some("x"));
}

#[test]
fn the_policy_is_learnt_from_the_quartiles() {
    let learnt = |seconds: &[u64]| {
        PollPolicy::learnt_from(seconds.iter().map(|seconds| *seconds as u32 * SECOND))
    };
    let of = |median: u32, ratio: f64| PollPolicy::expecting(median * SECOND, ratio.ln() / 1.35);
    assert_eq!(learnt(&[60, 10, 40, 20]), of(20, 4.0));
    assert_eq!(learnt(&[80, 10, 20, 40, 160]), of(40, 4.0));
}

/// Fixed intervals do not grow, whatever else is set.
#[tokio::test(start_paused = true)]
async fn the_intervals_are_those_of_the_policy() {
    let initial = PollPolicy::default()
        .jitter(0.0)
        .initial_interval(3 * SECOND);
    for (policy, expected) in [
        (
            PollPolicy::fixed(10 * SECOND).max_interval(60 * SECOND),
            [0, 10, 20, 30],
        ),
        (initial.multiplier(1.0), [0, 3, 6, 9]),
        (
            initial.multiplier(2.0).max_interval(5 * SECOND),
            [0, 3, 8, 13],
        ),
    ] {
        let transport = FakeTransport::in_order([running(), running(), running(), passed()]);
        let run = v1_run(&transport).with_poll_policy(policy);
        run.await.expect("a report");
        let times: Vec<u64> = transport.log().iter().map(|it| it.at.as_secs()).collect();
        assert_eq!(times, expected, "{policy:?}");
    }
}

/// Work that has run for long is polled as its age suggests, and not as if it were new.
#[tokio::test(start_paused = true)]
async fn the_age_of_resumed_work_counts() {
    for (started_at, is_old) in [(json!(null), false), (json!("2020-01-01T00:00:00Z"), true)] {
        let script = Script::in_order(vec![running(); 8]).then_always(passed());
        let transport = FakeTransport::from(script);
        let handle = json!({ "jobName": "job", "apiVersion": "v1", "startedAt": started_at });
        let handle: RunHandle = serde_json::from_value(handle).expect("a handle");
        let policy = PollPolicy::default().jitter(0.0);
        let run = transport
            .client()
            .resume_run(handle.pin_api_version(ApiVersion::V1));
        run.with_poll_policy(policy).await.expect("a report");
        let times: Vec<u64> = transport.log().iter().map(|it| it.at.as_secs()).collect();
        let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert_eq!(gap <= Some(11), is_old, "{times:?}");
    }
}
