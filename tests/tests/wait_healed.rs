//! `wait_healed`: a failed run that heals itself is polled until it is healed, within a time.

use std::time::Duration;

use checksum_api_ext::{Checksum, HealOptions, Outcome, Run, RunHandle};
use checksum_tests::{FakeResponse, FakeTransport, Script};
use serde_json::json;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

/// Returns a run that has these states in order, and the last for ever.
fn run_of(states: &[&str]) -> Run {
    resumed(&client_of(states))
}

fn client_of(states: &[&str]) -> Checksum {
    let status = |state: &&str| json!({ "status": state, "testRunId": "run-id" });
    let last = status(states.last().expect("a state"));
    let script = Script::in_order(states.iter().map(status)).then_always(last);
    FakeTransport::by_path([
        ("/v2/execution/status/job", script),
        (
            "/v2/execution/grep",
            Script::always(json!({ "name": "job" })),
        ),
    ])
    .client()
}

fn resumed(checksum: &Checksum) -> Run {
    checksum.resume_run(RunHandle::new("job".parse().expect("a name")))
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_polled_until_it_is_healed() {
    let checksum = client_of(&["running", "failed", "failed", "running", "healed"]);
    let heal = HealOptions::no_pull_request();
    let run = checksum.run_grep("a").auto_heal(heal).start().await;
    let report = run.expect("a run").wait_healed(HOUR).await;
    assert_eq!(report.expect("a report").outcome(), Outcome::Healed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stays_failed_is_failed_at_the_deadline() {
    let began = Instant::now();
    let report = run_of(&["failed"]).wait_healed(HOUR).await;
    assert_eq!(report.expect("a report").outcome(), Outcome::Failed);
    assert_eq!(began.elapsed().as_secs(), HOUR.as_secs());
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_kept_if_polling_fails_after_it() {
    for status in [401, 404, 503] {
        let failed = json!({ "status": "failed", "testRunId": "run-id" });
        let script = Script::in_order([failed]).then_always(FakeResponse::status(status));
        let run = resumed(&FakeTransport::from(script).client());
        let report = run.wait_healed(HOUR).await.expect("a report");
        assert_eq!(report.outcome(), Outcome::Failed, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn wait_healed_returns_at_once_if_nothing_can_be_healed() {
    let began = Instant::now();
    let run = client_of(&["failed", "healed"]).run_grep("a").start().await;
    let run = run.expect("a run");
    assert_eq!(run.handle().auto_heal(), Some(false));
    let report = run.wait_healed(HOUR).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
    let report = run_of(&["cancelled", "healed"]).wait_healed(HOUR).await;
    assert_eq!(report.expect("a report").outcome(), Outcome::Cancelled);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "the budget alone delays it"
    );
}
