//! Deadlines of a wait, and for how long 404 is tolerated.

use std::time::Duration;

use checksum_api_ext::{ApiVersion, JobName, PollPolicy, Run, RunHandle};
use checksum_tests::{FakeResponse, FakeTransport, Script};
use serde_json::{Value, json};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn v1() -> RunHandle {
    RunHandle::new(JobName::new("job").expect("a job name")).pin_api_version(ApiVersion::V1)
}

fn v1_run(transport: &FakeTransport, policy: PollPolicy) -> Run {
    transport.client().resume_run(v1()).with_poll_policy(policy)
}

fn passed() -> Value {
    json!({ "status": "passed", "passed": 1, "failed": 0 })
}

fn running() -> Value {
    json!({ "status": "running" })
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_does_not_hang_beyond_the_deadline() {
    let transport = FakeTransport::always(json!({ "status": "warming-up" }));
    let began = Instant::now();
    let policy = PollPolicy::fixed(10 * SECOND).deadline(95 * SECOND);
    let error = v1_run(&transport, policy).await.expect_err("a deadline");
    assert!(error.is_deadline_exceeded());
    assert_eq!(
        error.to_string(),
        "run job has not ended after 95 s: last seen warming-up; it goes on"
    );
    assert_eq!(began.elapsed(), 95 * SECOND);
    assert_eq!(transport.requests().len(), 10);
}

/// A name may be of no run at all.
#[tokio::test(start_paused = true)]
async fn without_a_status_no_run_is_said_to_go_on() {
    let transport = FakeTransport::always(FakeResponse::status(503));
    let policy = PollPolicy::fixed(SECOND).deadline(5 * SECOND);
    let error = v1_run(&transport, policy).await.expect_err("a deadline");
    assert_eq!(
        error.to_string(),
        "run job was not found or seen within 5 s; if it was started, it goes on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_beyond_the_clock_is_none() {
    let policy = PollPolicy::fixed(SECOND).deadline(Duration::MAX);
    let transport = FakeTransport::in_order([running(), passed()]);
    v1_run(&transport, policy).await.expect("a report");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_polls_once() {
    for limit in [Duration::ZERO, Duration::from_millis(1)] {
        let policy = PollPolicy::fixed(10 * SECOND).deadline(limit);
        let transport = FakeTransport::in_order([passed()]);
        v1_run(&transport, policy).await.expect("a report");
        let transport = FakeTransport::in_order([running()]);
        let error = v1_run(&transport, policy).await.expect_err("a deadline");
        assert!(error.is_deadline_exceeded());
        assert!(error.to_string().contains("last seen running"), "{error}");
    }
}

/// A pass that was seen in time is reported, although its confirmation must wait for the budget of the
/// client until after the deadline.
#[tokio::test(start_paused = true)]
async fn a_pass_before_the_deadline_counts_without_its_confirmation() {
    let judged = json!({ "status": "passed", "isTerminal": true, "verdict": "pass" });
    let transport = FakeTransport::by_path([
        ("/v2/execution/status/job", Script::always(passed())),
        ("/v1/execution/status/run/run-id", Script::always(judged)),
    ]);
    let checksum = transport.builder().max_requests_per_second(2);
    let checksum = checksum.build().expect("a client");
    let test_run_id = "run-id".parse().expect("an id");
    let handle = RunHandle::known_by(v1().job_name().cloned(), Some(test_run_id));
    let handle = handle.expect("a handle");
    let policy = PollPolicy::default().deadline(5 * SECOND);
    let waits = (0..8).map(|_| {
        let run = checksum.resume_run(handle.clone());
        async { run.with_poll_policy(policy).await.expect("a report") }
    });
    let reports = futures_util::future::join_all(waits).await;
    let confirmed = reports
        .iter()
        .filter(|report| report.contradiction().is_none());
    assert!((1..8).contains(&confirmed.count()));
    assert!(transport.requests().len() <= 11, "more than 2 a second");
}

/// A process that is suspended does not see time pass: it polls once more when it wakes up.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_while_the_process_is_suspended_has_one_last_poll() {
    for (last, is_success) in [(passed(), true), (running(), false)] {
        let transport = FakeTransport::in_order([running(), last]);
        let policy = PollPolicy::fixed(10 * SECOND).deadline(15 * SECOND);
        let wait = tokio::spawn(v1_run(&transport, policy).wait());
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(transport.requests().len(), 1);
        tokio::time::advance(3_600 * SECOND).await;
        let ended = wait.await.expect("no panic");
        assert_eq!(transport.requests().len(), 2);
        match ended {
            Ok(report) => assert!(is_success && report.is_success()),
            Err(error) => assert!(!is_success && error.is_deadline_exceeded(), "{error}"),
        }
    }
}

/// A slow service is not a suspended process.
#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_a_slow_service_alone_and_in_a_set() {
    for (latency, limit, expected) in [
        (3_600, 3, 5),
        (3_600, 0, 5),
        (3_600, 30, 30),
        (2, 0, 2),
        (4, 10, 10),
    ] {
        let transport = FakeTransport::always(running()).latency(latency * SECOND);
        let checksum = transport
            .builder()
            .request_timeout(7_200 * SECOND)
            .poll_policy(PollPolicy::fixed(SECOND).deadline(limit * SECOND))
            .build()
            .expect("a client");
        let began = Instant::now();
        let error = checksum.resume_run(v1()).await.expect_err("a deadline");
        assert!(error.is_deadline_exceeded());
        assert_eq!(began.elapsed(), expected * SECOND, "{latency} s, {limit} s");

        let began = Instant::now();
        let mut set = checksum.watch([v1().into()]);
        let mut is_exceeded = false;
        while let Some((_, event)) = set.next().await {
            is_exceeded |= event.is_err_and(|error| error.is_deadline_exceeded());
        }
        assert!(is_exceeded);
        assert_eq!(began.elapsed(), expected * SECOND, "{latency} s, {limit} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_the_wait_for_the_budget() {
    let transport = FakeTransport::always(running());
    let builder = transport.builder().max_requests_per_second(5);
    let checksum = builder.build().expect("a client");
    let policy = PollPolicy::fixed(SECOND).deadline(10 * SECOND);
    let run = checksum.resume_run(v1()).with_poll_policy(policy);
    let began = Instant::now();
    let waits: Vec<_> = (0..500).map(|_| tokio::spawn(run.clone().wait())).collect();
    for wait in waits {
        let error = wait.await.expect("no panic").expect_err("a deadline");
        assert!(error.is_deadline_exceeded());
    }
    assert_eq!(began.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn not_found_is_tolerated_during_the_grace_period() {
    let unknown = FakeResponse::status(404);
    let start = || Script::in_order([json!({ "name": "job" })]);
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", start()),
        (
            "/v1/execution/status/job",
            Script::in_order([unknown.clone(), unknown]).then_always(passed()),
        ),
    ]);
    let run = transport.client().run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    // v2 does not know the run, which only means that its test run id stays unknown.
    assert_eq!(report.test_run_id(), None);
    assert_eq!(
        transport.requests(),
        [
            "0 POST /v1/execution/suite",
            "0 GET /v1/execution/status/job",
            "0 GET /v2/execution/status/job",
            "10 GET /v1/execution/status/job",
            "10 GET /v2/execution/status/job",
            "20 GET /v1/execution/status/job",
            "20 GET /v2/execution/status/job",
        ]
    );

    let transport = FakeTransport::by_path([("/v1/execution/suite", start())]);
    let run = transport.client().run_suite().start().await.expect("a run");
    let error = run.await.expect_err("an error");
    assert!(error.is_not_found(), "{error}");
    assert_eq!(transport.requests().len(), 9, "until 30 s have passed");
}

/// A handle has the time of the start, so that 404 is tolerated only for a new run.
#[tokio::test(start_paused = true)]
async fn the_grace_period_of_a_resumed_run_is_counted_from_its_start() {
    let transport = FakeTransport::in_order([json!({ "name": "job" })]);
    let run = transport.client().run_suite().start().await.expect("a run");
    let stored = serde_json::to_value(run.handle()).expect("JSON");
    assert!(stored["startedAt"].is_string(), "{stored}");
    let resume = |transport: &FakeTransport, stored: &Value| {
        let handle: RunHandle = serde_json::from_value(stored.clone()).expect("a handle");
        transport.client().resume_run(handle)
    };
    let unknown = FakeResponse::status(404);
    let transport = FakeTransport::by_path([(
        "/v1/execution/status/job",
        Script::in_order([unknown]).then_always(passed()),
    )]);
    resume(&transport, &stored).await.expect("a report");

    let mut old = stored;
    old["startedAt"] = "2020-02-20T20:20:20Z".into();
    let transport = FakeTransport::always(FakeResponse::status(404));
    let error = resume(&transport, &old).await.expect_err("unknown");
    assert!(error.is_not_found());
    assert_eq!(transport.requests().len(), 2, "both versions, once");
}

#[tokio::test(start_paused = true)]
async fn work_of_unknown_age_has_its_own_grace_period() {
    let transport = || {
        let unknown = vec![FakeResponse::status(404); 2];
        FakeTransport::from(Script::in_order(unknown).then_always(passed()))
    };
    let policy = PollPolicy::fixed(SECOND);
    let error = v1_run(&transport(), policy).await.expect_err("unknown");
    assert!(error.is_not_found());
    let policy = policy
        .not_found_grace_of_unknown_age(5 * SECOND)
        .error_timeout(Duration::ZERO);
    v1_run(&transport(), policy).await.expect("a report");
}
