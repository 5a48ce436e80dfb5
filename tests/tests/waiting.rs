//! How a wait goes on, and how it ends.

use std::time::Duration;

use checksum_api_ext::types::{JobName, RunState};
use checksum_api_ext::{
    ApiVersion, Error, Event, Outcome, PollPolicy, Run, RunHandle, RunReport, TryStreamExt,
};
use checksum_tests::{Answer, Answers};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn handle() -> RunHandle {
    RunHandle::new(JobName::new("job").expect("a job name"))
}

/// A run that v1 is asked for, and no other.
fn v1_run(answers: &Answers) -> Run {
    answers.client().resume(handle().pin(ApiVersion::V1))
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
        ("process-error", Outcome::InfrastructureError),
        ("cancelled", Outcome::Cancelled),
    ] {
        let answers = Answers::new([json!({ "status": state, "passed": 45, "failed": 0 })]);
        let report = end(&answers).await.expect("an end");
        assert_eq!(report.outcome(), outcome);
        assert_eq!(
            report.outcome().is_pass(),
            matches!(state, "passed" | "healed")
        );
        assert_eq!(report.strict_outcome(), outcome);
        assert_eq!(report.disagreement(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_is_told_and_fails_only_when_strict() {
    let answers = Answers::new([json!({ "status": "passed", "passed": 45, "failed": 2 })]);
    let report = end(&answers).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.strict_outcome(), Outcome::Failed);
    let told = report.disagreement().expect("a contradiction").to_string();
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
    while let Some(event) = events.try_next().await.expect("an event") {
        if let Event::Changed(change) = event {
            states.push(change.status.state().clone());
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
        assert!(!report.outcome().is_pass());
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_does_not_hang_a_wait_beyond_its_deadline() {
    let answers = Answers::new([json!({ "status": "warming-up" })]);
    let started = tokio::time::Instant::now();
    let policy = PollPolicy::every(10 * SECOND).deadline(95 * SECOND);
    let error = v1_run(&answers).poll(policy).await.expect_err("a time-out");
    assert!(error.is_timed_out());
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
    let policy = PollPolicy::every(SECOND).deadline(Duration::MAX);
    v1_run(&answers).poll(policy).await.expect("an end");
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
    while let Some(event) = events.try_next().await.expect("an event") {
        told.push(match event {
            Event::Changed(change) => change.status.state().to_string(),
            Event::Trouble(trouble) => format!("trouble, next in {:?}", trouble.next_look_in),
            Event::Recovered { after } => format!("recovered after {after:?}"),
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
    let policy = PollPolicy::every(10 * SECOND).patience(60 * SECOND);
    let error = v1_run(&answers).poll(policy).await.expect_err("an error");
    assert!(matches!(&error, Error::GaveUp { after, .. } if *after == 60 * SECOND));
    assert_eq!(
        error.to_string(),
        "gave up on run job after 60 s of trouble; its outcome is unknown: \
         get_run_status (GET /public-api/v1/execution/status/job): \
         503 Service Unavailable: an empty body; trying again can help"
    );
    assert_eq!(answers.requests().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn refusals_end_the_wait_at_once() {
    for status in [400, 401, 403, 404, 410, 422] {
        let answers = Answers::new([Answer::status(status)]);
        let error = end(&answers).await.expect_err("an error");
        assert!(matches!(error, Error::Request(_)), "{status}: {error:?}");
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
    let report = answers.client().resume(handle()).await.expect("an end");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    assert_eq!(
        answers.requests(),
        [
            "0 GET /v2/execution/status/job",
            "0 GET /v1/execution/status/job",
            "10 GET /v1/execution/status/job",
            "20 GET /v1/execution/status/job",
            "20 GET /v2/execution/status/job",
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
        .resume(serde_json::from_str::<RunHandle>(&saved).expect("JSON"));
    let report = run.await.expect("an end");
    assert_eq!(report.test_run_id().map(|id| id.as_str()), Some("run-id"));
    assert_eq!(answers.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn members_that_nobody_knew_stay_reachable() {
    let answers =
        Answers::new([json!({ "status": "failed", "shards": [1], "failureReason": "x" })]);
    let status = v1_run(&answers).status().await.expect("a status");
    assert_eq!(status.other()["shards"], json!([1]));
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
