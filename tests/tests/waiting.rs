//! How a wait goes on, and how it ends.

use std::time::Duration;

use checksum_api_ext::{
    ApiVersion, Error, ErrorKind, Event, Outcome, PollPolicy, Run, RunHandle, RunReport,
};
use checksum_api_ext::{JobName, RunState};
use checksum_tests::{Answer, Answers};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn handle() -> RunHandle {
    RunHandle::new(JobName::new("job").expect("a job name"))
}

/// A run that v1 is asked for, and no other.
fn v1_run(answers: &Answers) -> Run {
    answers
        .client()
        .resume_run(handle().pin_api_version(ApiVersion::V1))
}

async fn end(answers: &Answers) -> Result<RunReport, Error> {
    v1_run(answers).await
}

#[tokio::test(start_paused = true)]
async fn only_passed_and_healed_pass() {
    for (state, outcome) in [
        ("passed", Outcome::Passed),
        ("healed", Outcome::Healed),
        ("failed", Outcome::Failed),
        ("process-error", Outcome::ProcessError),
        ("cancelled", Outcome::Cancelled),
    ] {
        let answers = Answers::new([json!({ "status": state, "passed": 45, "failed": 0 })]);
        let report = end(&answers).await.expect("an end");
        assert_eq!(report.outcome(), outcome);
        assert_eq!(
            report.outcome().is_success(),
            matches!(state, "passed" | "healed")
        );
        assert_eq!(report.strict_outcome(), outcome);
        assert_eq!(report.contradiction(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_is_told_and_fails_only_when_strict() {
    let answers = Answers::new([json!({ "status": "passed", "passed": 45, "failed": 2 })]);
    let report = end(&answers).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.strict_outcome(), Outcome::Failed);
    let told = report.contradiction().expect("a contradiction").to_string();
    assert_eq!(told, "the service says passed, and counts 2 failed tests");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_takes_a_pass_away_and_gives_none() {
    let ended = |state: &str, verdict: &str| {
        Answers::new([json!({ "status": state, "isTerminal": true, "verdict": verdict })])
    };
    for (state, verdict, outcome) in [
        ("passed", "fail", Outcome::Failed),
        ("passed", "pass", Outcome::Passed),
        ("failed", "pass", Outcome::Failed),
        (
            "evaporated",
            "pass",
            Outcome::Unrecognised("evaporated".to_owned()),
        ),
    ] {
        let report = end(&ended(state, verdict)).await.expect("an end");
        assert_eq!(report.outcome(), outcome, "{state} {verdict}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_services_own_word_on_the_end_decides() {
    let answers = Answers::new([
        json!({ "status": "passed", "isTerminal": false, "passed": 3 }),
        json!({ "status": "passed", "isTerminal": false, "passed": 6 }),
        json!({ "status": "failed", "isTerminal": true, "passed": 6, "failed": 1 }),
    ]);
    let report = end(&answers).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(answers.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_is_waited_on_and_told_once() {
    let answers = Answers::new([
        json!({ "status": "warming-up" }),
        json!({ "status": "warming-up" }),
        json!({ "status": "running" }),
        json!({ "status": "passed", "passed": 1 }),
    ]);
    let mut events = v1_run(&answers).events();
    let mut states = Vec::new();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        if let Event::Changed { current, .. } = event {
            states.push(current.state().clone());
        }
    }
    let warming_up = RunState::Unrecognised("warming-up".to_owned());
    assert_eq!(states, [warming_up, RunState::Running, RunState::Passed]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_ends_a_run_by_what_only_ends_carry() {
    for answer in [
        json!({ "status": "evaporated", "isTerminal": true }),
        json!({ "status": "evaporated", "failed": 0 }),
    ] {
        let report = end(&Answers::new([answer])).await.expect("an end");
        assert_eq!(
            report.outcome(),
            Outcome::Unrecognised("evaporated".to_owned())
        );
        assert!(!report.outcome().is_success());
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_does_not_hang_a_wait_beyond_its_deadline() {
    let answers = Answers::new([json!({ "status": "warming-up" })]);
    let started = tokio::time::Instant::now();
    let policy = PollPolicy::fixed(10 * SECOND).deadline(95 * SECOND);
    let error = v1_run(&answers)
        .with_poll_policy(policy)
        .await
        .expect_err("a time-out");
    assert!(error.is_deadline_exceeded());
    assert_eq!(
        error.to_string(),
        "run job has not ended after 95 s: last seen warming-up; it goes on"
    );
    assert_eq!(started.elapsed(), 95 * SECOND);
    assert_eq!(answers.requests().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_endless_deadline_is_none() {
    let answers = Answers::new([json!({ "status": "passed" })]);
    let policy = PollPolicy::fixed(SECOND).deadline(Duration::MAX);
    v1_run(&answers)
        .with_poll_policy(policy)
        .await
        .expect("an end");
}

#[tokio::test(start_paused = true)]
async fn trouble_is_borne_and_told() {
    let answers = Answers::new([
        Answer::from(json!({ "status": "running" })),
        Answer::status(500),
        Answer::status(408),
        Answer::status(425),
        Answer::status(200).body("<html>Sign in</html>"),
        Answer::status(200).body("{\"status\": \"runn"),
        Answer::status(429).header("retry-after", "120"),
        Answer::from(json!({ "status": "passed" })),
    ]);
    let mut events = v1_run(&answers).events();
    let mut told = Vec::new();
    while let Some(event) = events.next().await.transpose().expect("an event") {
        told.push(match event {
            Event::Changed { current, .. } => current.state().to_string(),
            Event::PollFailed(trouble) => format!("trouble, next in {:?}", trouble.next_poll_in),
            Event::PollRecovered { after } => format!("recovered after {after:?}"),
            Event::Finished(report) => format!("finished {}", report.outcome()),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(
        told,
        [
            "running",
            "trouble, next in 10s",
            "trouble, next in 10s",
            "trouble, next in 10s",
            "trouble, next in 10s",
            "trouble, next in 10s",
            "trouble, next in 120s",
            "recovered after 170s",
            "passed",
            "finished passed",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn trouble_beyond_patience_gives_up_without_a_verdict() {
    let answers = Answers::new([Answer::status(503)]);
    let policy = PollPolicy::fixed(10 * SECOND).error_timeout(60 * SECOND);
    let error = v1_run(&answers)
        .with_poll_policy(policy)
        .await
        .expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::PollingFailed);
    assert!(error.to_string().contains("failed for 60 s"), "{error}");
    assert_eq!(
        error.to_string(),
        "polling run job failed for 60 s; its outcome is unknown: \
         get_run_status (GET /public-api/v1/execution/status/job): \
         503 Service Unavailable: an empty body; retryable"
    );
    assert_eq!(answers.requests().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn refusals_end_the_wait_at_once() {
    for status in [400, 401, 403, 404, 410, 422] {
        let answers = Answers::new([Answer::status(status)]);
        let error = end(&answers).await.expect_err("an error");
        assert_eq!(error.status_code(), Some(status), "{error:?}");
        assert_ne!(error.kind(), ErrorKind::PollingFailed);
        assert_eq!(answers.requests().len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_may_be_unknown_for_a_short_grace_after_its_start() {
    let answers = Answers::new([
        Answer::from(json!({ "name": "job" })),
        Answer::status(404),
        Answer::status(404),
        Answer::status(404),
        Answer::status(404),
        Answer::from(json!({ "status": "passed", "passed": 1 })),
        Answer::status(404),
    ]);
    let run = answers.client().run_suite().start().await.expect("a run");
    let report = run.await.expect("an end");
    // v2 does not know the run, which only means that the test run stays unknown.
    assert_eq!(report.test_run_id(), None);
    assert_eq!(
        answers.requests(),
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

    let unknown = Answers::new([Answer::from(json!({ "name": "job" })), Answer::status(404)]);
    let run = unknown.client().run_suite().start().await.expect("a run");
    let error = run.await.expect_err("an error");
    assert!(error.is_not_found(), "{error}");
    assert_eq!(unknown.requests().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn the_other_route_is_tried_and_kept() {
    let answers = Answers::new([
        Answer::status(404),
        Answer::from(json!({ "status": "running" })),
        Answer::from(json!({ "status": "running" })),
        Answer::from(json!({ "status": "passed" })),
        Answer::from(json!({ "status": "passed", "testRunId": "run-id" })),
    ]);
    let report = answers.client().resume_run(handle()).await.expect("an end");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    assert_eq!(
        answers.requests(),
        [
            "0 GET /v2/execution/status/job",
            "0 GET /v1/execution/status/job",
            "10 GET /v1/execution/status/job",
            "20 GET /v1/execution/status/job",
            "20 GET /v2/execution/status/job",
            "20 GET /v1/execution/status/run/run-id",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_run_that_the_start_names_is_not_asked_for() {
    let answers = Answers::new([
        json!({ "name": "job", "runId": "run-id" }),
        json!({ "status": "passed" }),
    ]);
    let run = answers.client().run_suite().start().await.expect("a run");
    assert_eq!(run.test_run_id().map(|id| id.as_str()), Some("run-id"));
    let saved = serde_json::to_string(&run.handle()).expect("JSON");
    let run = answers
        .client()
        .resume_run(serde_json::from_str::<RunHandle>(&saved).expect("JSON"));
    let report = run.await.expect("an end");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    assert_eq!(
        answers.requests(),
        [
            "0 POST /v1/execution/suite",
            "0 GET /v1/execution/status/job",
            "0 GET /v1/execution/status/run/run-id",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn members_that_nobody_knew_stay_reachable() {
    let answers =
        Answers::new([json!({ "status": "failed", "shards": [1], "failureReason": "x" })]);
    let status = v1_run(&answers).status().await.expect("a status");
    assert_eq!(status.unknown_fields()["shards"], json!([1]));
    assert_eq!(status.failure_reason(), Some("x"));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_wait_stops_the_looking_and_nothing_else() {
    let answers = Answers::new([json!({ "status": "running" })]);
    let wait = tokio::time::timeout(25 * SECOND, v1_run(&answers).wait());
    wait.await.expect_err("still running");
    tokio::time::sleep(1_000 * SECOND).await;
    assert_eq!(answers.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_within_bounds() {
    // Never sooner than the interval, never later than what is left of the patience.
    for (retry_after, expected) in [
        ("0", [10, 10, 10]),
        ("Wed, 21 Oct 2015 07:28:00 GMT", [10, 10, 10]),
        ("25", [25, 25, 25]),
        ("86400", [300, 10, 0]),
        ("18446744073709551615", [300, 10, 0]),
    ] {
        let busy = Answer::status(503).header("retry-after", retry_after);
        let answers = Answers::new([busy]);
        let mut events = v1_run(&answers).events();
        let mut pauses = Vec::new();
        while let Ok(Some(event)) = events.next().await.transpose() {
            if let Event::PollFailed(trouble) = event {
                pauses.push(trouble.next_poll_in.as_secs());
            }
        }
        let expected: Vec<u64> = expected.into_iter().filter(|pause| *pause > 0).collect();
        assert_eq!(pauses[..expected.len()], expected, "{retry_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn three_failures_in_a_row_are_tolerated_however_long_they_take() {
    let failing = |failures: usize| {
        let failures = std::iter::repeat_n(Answer::status(503), failures);
        let passed = Answer::from(json!({ "status": "passed", "passed": 1, "failed": 0 }));
        Answers::new(failures.chain([passed]))
    };
    let slow = PollPolicy::fixed(400 * SECOND);
    let report = v1_run(&failing(2))
        .with_poll_policy(slow)
        .await
        .expect("an end");
    assert!(report.outcome().is_success());
    let error = v1_run(&failing(3))
        .with_poll_policy(slow)
        .await
        .expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::PollingFailed);
    assert!(error.to_string().contains("failed for 800 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_nothing_polls_once() {
    for limit in [Duration::ZERO, Duration::from_millis(1)] {
        let policy = PollPolicy::fixed(10 * SECOND).deadline(limit);
        let ended = Answers::new([json!({ "status": "passed", "passed": 1, "failed": 0 })]);
        v1_run(&ended)
            .with_poll_policy(policy)
            .await
            .expect("its verdict");
        let running = Answers::new([json!({ "status": "running" })]);
        let error = v1_run(&running)
            .with_poll_policy(policy)
            .await
            .expect_err("a time-out");
        assert!(error.is_deadline_exceeded());
        assert!(error.to_string().contains("last seen running"), "{error}");
        assert_eq!(running.requests().len(), 1);
    }
}

/// A process that is suspended does not see time pass: it polls once more when it wakes up.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_while_the_process_is_suspended_has_one_last_poll() {
    for (last, is_success) in [("passed", true), ("running", false)] {
        let answers = Answers::new([
            json!({ "status": "running" }),
            json!({ "status": last, "passed": 1, "failed": 0 }),
        ]);
        let policy = PollPolicy::fixed(10 * SECOND).deadline(15 * SECOND);
        let wait = tokio::spawn(v1_run(&answers).with_poll_policy(policy).wait());
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(answers.requests().len(), 1);
        tokio::time::advance(3_600 * SECOND).await;
        let ended = wait.await.expect("no panic");
        assert_eq!(answers.requests().len(), 2);
        match ended {
            Ok(report) => assert!(is_success && report.outcome().is_success()),
            Err(error) => assert!(!is_success && error.is_deadline_exceeded(), "{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_with_counts_is_polled_a_few_more_times() {
    let unknown = json!({ "status": "healing", "passed": 3, "failed": 1 });
    // It goes on after all.
    let answers = Answers::new([
        unknown.clone(),
        unknown.clone(),
        json!({ "status": "healed", "passed": 4, "failed": 0 }),
    ]);
    let report = end(&answers).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Healed);
    // It stays.
    let answers = Answers::new([unknown]);
    let report = end(&answers).await.expect("an end");
    assert_eq!(
        report.outcome(),
        Outcome::Unrecognised("healing".to_owned())
    );
    assert_eq!(answers.requests().len(), 4);
    // The service's own word needs no confirmation.
    let answers = Answers::new([json!({ "status": "canceled", "isTerminal": true })]);
    end(&answers).await.expect("an end");
    assert_eq!(answers.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_test_run_id_is_a_sign_of_the_end_on_v2_alone() {
    let early = json!({ "status": "warming-up", "testRunId": "run-id", "runId": "run-id" });
    let answers = Answers::new([early]);
    let policy = PollPolicy::fixed(10 * SECOND).deadline(600 * SECOND);
    let error = v1_run(&answers).with_poll_policy(policy).await;
    assert!(error.expect_err("no end").is_deadline_exceeded());
    let run = answers
        .client()
        .resume_run(handle().pin_api_version(ApiVersion::V2));
    let report = run.with_poll_policy(policy).await.expect("an end");
    assert!(matches!(report.outcome(), Outcome::Unrecognised(_)));
}

/// A handle keeps when the run was started, so that a 404 is tolerated only for a run that the
/// service may not know yet.
#[tokio::test(start_paused = true)]
async fn a_handle_knows_how_long_a_404_is_tolerated() {
    let unknown_first = || {
        Answers::new([
            Answer::from(json!({ "name": "job" })),
            Answer::status(404),
            Answer::status(404),
            Answer::from(json!({ "status": "passed", "passed": 1, "failed": 0 })),
        ])
    };
    let answers = unknown_first();
    let run = answers.client().run_suite().start().await.expect("a run");
    let saved = serde_json::to_value(run.handle()).expect("JSON");
    assert!(saved["startedAt"].is_string(), "{saved}");
    let resume = |answers: &Answers, saved: &serde_json::Value| {
        let handle: RunHandle = serde_json::from_value(saved.clone()).expect("a handle");
        answers.client().resume_run(handle)
    };
    resume(&answers, &saved).await.expect("an end");

    let mut old = saved.clone();
    old["startedAt"] = "2020-02-20T20:20:20Z".into();
    let answers = Answers::new([Answer::status(404)]);
    let error = resume(&answers, &old).await.expect_err("unknown");
    assert!(error.is_not_found());
    assert_eq!(answers.requests().len(), 2, "both versions, once");
}

#[tokio::test(start_paused = true)]
async fn single_waits_share_the_clients_budget() {
    let answers = Answers::new([Answer::status(503)]);
    let client = answers
        .builder()
        .max_requests_per_second(10)
        .build()
        .expect("a client");
    let waits: Vec<_> = (0..200)
        .map(|_| {
            tokio::spawn(
                client
                    .resume_run(handle().pin_api_version(ApiVersion::V1))
                    .wait(),
            )
        })
        .collect();
    tokio::time::sleep(100 * SECOND).await;
    waits.iter().for_each(tokio::task::JoinHandle::abort);
    let mut per_second = std::collections::BTreeMap::<String, u32>::new();
    for request in answers.requests() {
        let second = request.split(' ').next().unwrap_or_default().to_owned();
        *per_second.entry(second).or_default() += 1;
    }
    assert!(
        per_second.values().all(|count| *count <= 10),
        "{per_second:?}"
    );
    assert!(per_second.len() >= 99, "the budget is used: {per_second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_transport_of_ones_own_may_be_polled_more_than_once_a_second() {
    let answers = Answers::new([json!({ "status": "running" })]);
    let policy = PollPolicy::fixed(Duration::ZERO).deadline(10 * SECOND);
    let error = v1_run(&answers).with_poll_policy(policy).await;
    assert!(error.expect_err("running").is_deadline_exceeded());
    let requests = answers.requests().len();
    assert!(
        (200..=251).contains(&requests),
        "the budget alone bounds it: {requests}"
    );
}

/// A service that takes its time is no suspended process.
#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_a_slow_service() {
    for (latency, limit, ended) in [
        (3_600, 3, 5),
        (3_600, 0, 5),
        (3_600, 30, 30),
        (2, 0, 2),
        (4, 10, 10),
    ] {
        let transport = move |_: reqwest::Request| async move {
            tokio::time::sleep(latency * SECOND).await;
            Ok(http::Response::new(json!({ "status": "running" }).to_string()).into())
        };
        let policy = PollPolicy::fixed(SECOND).deadline(limit * SECOND);
        let client = Answers::default().builder().transport(transport);
        let client = client
            .request_timeout(7_200 * SECOND)
            .poll_policy(policy)
            .build();
        let client = client.expect("a client");
        let began = tokio::time::Instant::now();
        let run = client.resume_run(handle().pin_api_version(ApiVersion::V1));
        assert!(run.await.expect_err("a time-out").is_deadline_exceeded());
        assert_eq!(began.elapsed(), ended * SECOND, "{latency} s, {limit} s");

        let began = tokio::time::Instant::now();
        let mut all = client.watch([handle().pin_api_version(ApiVersion::V1).into()]);
        let mut timed_out = false;
        while let Some((_, event)) = all.next().await {
            timed_out |= event.is_err_and(|error| error.is_deadline_exceeded());
        }
        assert!(timed_out);
        assert_eq!(
            began.elapsed(),
            ended * SECOND,
            "{latency} s, {limit} s, in a set"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_the_wait_for_the_budget() {
    let answers = Answers::new([json!({ "status": "running" })]);
    let client = answers
        .builder()
        .max_requests_per_second(5)
        .build()
        .expect("a client");
    let policy = PollPolicy::fixed(SECOND).deadline(10 * SECOND);
    let began = tokio::time::Instant::now();
    let waits: Vec<_> = (0..500)
        .map(|_| {
            let run = client
                .resume_run(handle().pin_api_version(ApiVersion::V1))
                .with_poll_policy(policy);
            tokio::spawn(run.wait())
        })
        .collect();
    for wait in waits {
        let error = wait.await.expect("no panic").expect_err("a time-out");
        assert!(error.is_deadline_exceeded());
    }
    assert_eq!(began.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_that_goes_on_changing_has_not_ended() {
    let healing = |passed: u32| json!({ "status": "healing", "passed": passed, "failed": 0 });
    let passed = json!({ "status": "passed", "passed": 20, "failed": 0 });
    let answers = Answers::new((0..20).map(healing).chain([passed]));
    let report = end(&answers).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
}

#[tokio::test(start_paused = true)]
async fn work_of_unknown_age_has_a_grace_of_its_own() {
    let answers = || {
        Answers::new([
            Answer::status(404),
            Answer::status(404),
            Answer::from(json!({ "status": "passed", "passed": 1, "failed": 0 })),
        ])
    };
    let policy = PollPolicy::fixed(SECOND);
    let error = v1_run(&answers())
        .with_poll_policy(policy)
        .await
        .expect_err("unknown");
    assert!(error.is_not_found());
    let policy = policy
        .not_found_grace_of_unknown_age(5 * SECOND)
        .error_timeout(Duration::ZERO);
    v1_run(&answers())
        .with_poll_policy(policy)
        .await
        .expect("an end");
}
