//! When a run counts as done, and what its state means.

use std::time::Duration;

use checksum_api_ext::{
    ApiVersion, Event, JobName, Outcome, PollPolicy, Run, RunHandle, RunReport, RunState,
};
use checksum_tests::document::document;
use checksum_tests::{FakeTransport, Script};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn run_by(version: ApiVersion, transport: &FakeTransport) -> Run {
    let handle = RunHandle::new(JobName::new("job").expect("a job name"));
    transport
        .client()
        .resume_run(handle.pin_api_version(version))
}

/// Waits for a run with these statuses, and returns how many polls it took too. A poll more fails.
async fn wait(statuses: impl IntoIterator<Item = Value>) -> (RunReport, usize) {
    let transport = FakeTransport::in_order(statuses);
    let report = run_by(ApiVersion::V1, &transport).await;
    (report.expect("a report"), transport.requests().len())
}

fn unrecognised(state: &str) -> Outcome {
    Outcome::Unrecognised(state.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_state_the_verdict_and_the_counts_decide_the_outcome() {
    let counted =
        |state: &str, failed: u32| json!({ "status": state, "passed": 45, "failed": failed });
    let judged = |state: &str, verdict: &str| json!({ "status": state, "isTerminal": true, "verdict": verdict, "passed": 1, "failed": 0 });
    for (status, outcome, strict) in [
        (counted("passed", 0), Outcome::Passed, Outcome::Passed),
        (counted("healed", 0), Outcome::Healed, Outcome::Healed),
        (counted("failed", 0), Outcome::Failed, Outcome::Failed),
        (
            counted("process-error", 0),
            Outcome::ProcessError,
            Outcome::ProcessError,
        ),
        (
            counted("cancelled", 0),
            Outcome::Cancelled,
            Outcome::Cancelled,
        ),
        // A contradiction fails only when strict.
        (counted("passed", 2), Outcome::Passed, Outcome::Failed),
        // A verdict takes a pass away and gives none.
        (judged("passed", "pass"), Outcome::Passed, Outcome::Passed),
        (judged("passed", "fail"), Outcome::Failed, Outcome::Failed),
        (judged("failed", "pass"), Outcome::Failed, Outcome::Failed),
        (
            judged("evaporated", "pass"),
            unrecognised("evaporated"),
            unrecognised("evaporated"),
        ),
    ] {
        let (report, _) = wait([status.clone()]).await;
        assert_eq!(report.outcome(), outcome, "{status}");
        assert_eq!(report.strict_outcome(), strict, "{status}");
        assert_eq!(
            report.is_success(),
            matches!(outcome, Outcome::Passed | Outcome::Healed),
            "{status}"
        );
        let is_contradicted = outcome != strict || status["verdict"] == "fail";
        assert_eq!(
            report.contradiction().is_some(),
            is_contradicted,
            "{status}"
        );
    }
    let (report, _) = wait([counted("passed", 2)]).await;
    assert_eq!(
        report.contradiction().expect("one").to_string(),
        "the service says passed, and counts 2 failed tests"
    );
}

/// The compiler does not name `KNOWN` in `run/outcome.rs` for a new outcome.
#[tokio::test(start_paused = true)]
async fn each_outcome_of_the_document_is_read_as_it_is_written() {
    let outcomes = &document()["components"]["schemas"]["RunState"]["x-outcomes"];
    let outcomes = outcomes.as_object().expect("outcomes").iter();
    for (state, word) in outcomes.filter(|(_, word)| *word != "pending") {
        let (report, _) = wait([json!({ "status": state, "passed": 1, "failed": 0 })]).await;
        assert_eq!(report.outcome().as_str(), word);
        let read: Outcome = serde_json::from_value(word.clone()).expect("an outcome");
        assert_eq!(read, report.outcome(), "{word} is not in `KNOWN`");
    }
}

/// A field that the document gains is no longer one of `unknown_fields`. The compiler does not name
/// `run/status.rs`, which has to read it.
#[test]
fn each_field_of_a_status_is_read() {
    const READ: &str =
        "status passed failed recovered bug isTerminal verdict failureReason testRunId";
    for schema in ["RunStatus", "RunStatusV2", "RunStatusByRunId"] {
        let fields = &document()["components"]["schemas"][schema]["properties"];
        for field in fields.as_object().expect("fields").keys() {
            let is_read = READ.split(' ').any(|read| read == field);
            assert!(is_read, "{schema}.{field}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn is_terminal_decides_before_the_state() {
    let (report, polls) = wait([
        json!({ "status": "passed", "isTerminal": false, "passed": 3 }),
        json!({ "status": "passed", "isTerminal": false, "passed": 6 }),
        json!({ "status": "failed", "isTerminal": true, "passed": 6, "failed": 1 }),
    ])
    .await;
    assert_eq!((report.outcome(), polls), (Outcome::Failed, 3));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_is_reported_once_and_polled_on() {
    let transport = FakeTransport::in_order([
        json!({ "status": "warming-up" }),
        json!({ "status": "warming-up" }),
        json!({ "status": "running" }),
        json!({ "status": "passed", "passed": 1 }),
    ]);
    let mut events = run_by(ApiVersion::V1, &transport).events();
    let mut states = Vec::new();
    while let Some(event) = events.next().await {
        if let Event::Changed { current, .. } = event.expect("an event") {
            states.push(current.state().clone());
        }
    }
    let warming_up = RunState::Unrecognised("warming-up".to_owned());
    assert_eq!(states, [warming_up, RunState::Running, RunState::Passed]);
}

/// Only terminal work has counts. An unknown state with counts must be seen four times.
#[tokio::test(start_paused = true)]
async fn an_unknown_state_is_terminal_if_the_service_says_so_or_it_stays_with_counts() {
    let counted = |passed: u32| json!({ "status": "healing", "passed": passed, "failed": 1 });
    let healed = json!({ "status": "healed", "passed": 4, "failed": 0 });
    let changing: Vec<Value> = (0..20).map(counted).chain([healed.clone()]).collect();
    for (statuses, outcome, polls) in [
        (
            vec![json!({ "status": "canceled", "isTerminal": true })],
            unrecognised("canceled"),
            1,
        ),
        (
            vec![json!({ "status": "evaporated", "failed": 0 }); 4],
            unrecognised("evaporated"),
            4,
        ),
        (vec![counted(3); 4], unrecognised("healing"), 4),
        (vec![counted(3), counted(3), healed], Outcome::Healed, 3),
        (changing, Outcome::Healed, 21),
    ] {
        let (report, count) = wait(statuses).await;
        assert_eq!((report.outcome(), count), (outcome, polls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_run_id_is_a_sign_of_terminal_work_on_v2_alone() {
    let early = json!({ "status": "warming-up", "testRunId": "run-id", "runId": "run-id" });
    let policy = PollPolicy::fixed(10 * SECOND).deadline(600 * SECOND);
    for (version, is_terminal) in [(ApiVersion::V1, false), (ApiVersion::V2, true)] {
        let transport = FakeTransport::from(Script::always(early.clone()));
        let run = run_by(version, &transport).with_poll_policy(policy);
        match run.await {
            Ok(report) => {
                assert!(is_terminal && matches!(report.outcome(), Outcome::Unrecognised(_)));
            }
            Err(error) => assert!(!is_terminal && error.is_deadline_exceeded()),
        }
    }
}
