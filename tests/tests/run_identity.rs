//! Runs that are known by a job name, a test run id, or both: which routes are polled, and which
//! decide.

use checksum_api_ext::{
    Contradiction, Error, ErrorKind, Grep, Handle, Outcome, RetryPolicy, Run, RunHandle, RunReport,
    Started,
};
use checksum_api_ext::{JobName, TestRunId};
use checksum_tests::{FakeResponse, FakeTransport, Script};
use serde_json::{Value, json};

const V1: &str = "/v1/execution/status/job";
const V2: &str = "/v2/execution/status/job";
const BY_ID: &str = "/v1/execution/status/run/run-id";

fn both() -> Value {
    json!({ "name": "job", "runId": "run-id" })
}

fn passed() -> Value {
    json!({ "status": "passed", "passed": 3, "failed": 0, "recovered": 0, "bug": 0 })
}

fn paths(transport: &FakeTransport) -> Vec<String> {
    transport
        .log()
        .into_iter()
        .map(|request| request.path)
        .collect()
}

async fn start(transport: &FakeTransport) -> Run {
    let run = transport.client().run_suite().start().await;
    run.expect("a run")
}

/// The end of a run that the documented route calls passed, where the other says this of it.
async fn confirmed(by_id: impl Into<FakeResponse>) -> RunReport {
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (V1, Script::always(passed())),
        (BY_ID, Script::always(by_id)),
    ]);
    start(&transport).await.await.expect("a report")
}

#[tokio::test(start_paused = true)]
async fn a_sharded_run_is_polled_by_its_test_run_id() {
    let transport = FakeTransport::by_path([
        (
            "/v2/execution/grep",
            Script::always(json!({ "name": null, "runId": "run-id", "sharded": true })),
        ),
        (
            BY_ID,
            Script::in_order([
                json!({ "status": "passed", "isTerminal": false, "verdict": "pending" }),
                json!({ "status": "passed", "isTerminal": true, "verdict": "pass", "failureReason": null }),
            ]),
        ),
    ]);
    let grep = transport.client().run_grep(Grep::new("checkout").shards(8));
    let run = grep.start().await.expect("a run");
    assert_eq!(run.job_name(), None);
    assert_eq!(run.test_run_id().map(TestRunId::as_str), Some("run-id"));
    assert_eq!(Handle::from(&run).to_string(), "test-run:run-id");

    let saved = serde_json::to_string(&run.handle()).expect("JSON");
    let handle: RunHandle = serde_json::from_str(&saved).expect("a handle");
    let report = transport
        .client()
        .resume_run(handle)
        .await
        .expect("a report");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.strict_outcome(), Outcome::Passed);
    assert_eq!(report.test_run_id().map(TestRunId::as_str), Some("run-id"));
    assert_eq!(report.job_name(), None);
    assert_eq!(
        paths(&transport),
        ["/v2/execution/grep", BY_ID, BY_ID],
        "no other route knows the run"
    );
    assert_eq!(transport.log()[0].body["shardCount"], 8);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_confirmed_once_by_test_run_id() {
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (
            V1,
            Script::in_order([json!({ "status": "running" }), passed()]),
        ),
        (
            BY_ID,
            Script::always(json!({ "status": "passed", "isTerminal": true, "verdict": "pass" })),
        ),
    ]);
    let report = start(&transport).await.await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.counts().map(|counts| counts.passed), Some(3));
    assert_eq!(paths(&transport), ["/v1/execution/suite", V1, V1, BY_ID]);
}

#[tokio::test(start_paused = true)]
async fn the_verdict_by_test_run_id_decides() {
    let reason = "1/8 shards failed; merged report is missing their tests";
    let lost = confirmed(json!({
        "status": "passed", "isTerminal": true, "verdict": "fail", "failureReason": reason
    }));
    let lost = lost.await;
    assert_eq!(lost.outcome(), Outcome::Failed);
    assert_eq!(lost.status().failure_reason(), Some(reason));

    for verdict in ["pending", "unheard-of"] {
        let by_id = json!({ "status": "passed", "isTerminal": true, "verdict": verdict });
        let report = confirmed(by_id).await;
        assert_eq!(report.outcome(), Outcome::Failed, "{verdict}");
        let contradiction = report.contradiction();
        assert!(matches!(
            contradiction,
            Some(Contradiction::NoVerdict { .. })
        ));
    }
    // A verdict that cannot be read is no pass.
    let report = confirmed(json!({ "status": "passed", "isTerminal": true, "verdict": 7 })).await;
    assert_eq!(report.outcome(), Outcome::Failed);
    // Without a verdict the states decide, which agree here.
    let report = confirmed(json!({ "status": "passed", "isTerminal": true })).await;
    assert_eq!(report.strict_outcome(), Outcome::Passed);
}

#[tokio::test(start_paused = true)]
async fn polling_continues_until_the_end_is_confirmed() {
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (V1, Script::always(passed())),
        (
            BY_ID,
            Script::in_order([
                json!({ "status": "passed", "isTerminal": false, "verdict": "pending" }),
                json!({ "status": "failed", "isTerminal": true, "verdict": "fail" }),
            ]),
        ),
    ]);
    let report = start(&transport).await.await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(
        paths(&transport),
        ["/v1/execution/suite", V1, BY_ID, V1, BY_ID]
    );
}

#[tokio::test(start_paused = true)]
async fn without_the_observed_route_the_state_decides() {
    for by_id in [
        FakeResponse::status(404),
        FakeResponse::status(405),
        FakeResponse::status(403),
        json!([]).into(),
        json!({}).into(),
    ] {
        let report = confirmed(by_id.clone()).await;
        assert_eq!(report.outcome(), Outcome::Passed, "{by_id}");
        assert_eq!(report.test_run_id().map(TestRunId::as_str), Some("run-id"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unconfirmed_pass_fails_when_strict() {
    for by_id in [
        FakeResponse::status(503),
        json!({ "status": "passed", "isTerminal": "yes" }).into(),
    ] {
        let transport = FakeTransport::by_path([
            ("/v1/execution/suite", Script::always(both())),
            (V1, Script::always(passed())),
            (BY_ID, Script::always(by_id)),
        ]);
        let report = start(&transport).await.await.expect("a report");
        assert_eq!(report.outcome(), Outcome::Passed);
        assert_eq!(report.strict_outcome(), Outcome::Failed);
        let contradiction = report.contradiction();
        assert!(matches!(
            contradiction,
            Some(Contradiction::Unconfirmed { .. })
        ));
    }
    // The confirming request is retried like any other read.
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (V1, Script::always(passed())),
        (
            BY_ID,
            Script::in_order([
                FakeResponse::status(503),
                json!({ "status": "passed", "isTerminal": true, "verdict": "fail" }).into(),
            ]),
        ),
    ]);
    let client = transport.builder().retry_policy(RetryPolicy::default());
    let client = client.build().expect("a client");
    let run = client.run_suite().start().await.expect("a run");
    assert_eq!(run.await.expect("a report").outcome(), Outcome::Failed);

    // What has failed needs no confirmation.
    let failed = json!({ "status": "failed", "passed": 1, "failed": 1 });
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (V1, Script::always(failed)),
        (BY_ID, Script::always(FakeResponse::status(500))),
    ]);
    let report = start(&transport).await.await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(paths(&transport).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_known_by_its_test_run_id_passes_by_its_verdict_alone() {
    let id = || TestRunId::new("run-id").expect("an id");
    for verdict in [json!(null), json!(7), json!("pending"), json!("fail")] {
        let status = json!({ "status": "passed", "isTerminal": true, "verdict": verdict });
        let client = FakeTransport::by_path([(BY_ID, Script::always(status))]).client();
        let report = client.resume_run(id()).await.expect("a report");
        assert_eq!(report.outcome(), Outcome::Failed, "{verdict}");
        assert!(report.contradiction().is_some(), "{verdict}");
    }
    for status in [
        json!({ "status": "passed" }),
        json!({ "status": "passed", "isTerminal": [], "verdict": "pass" }),
    ] {
        let client = FakeTransport::by_path([(BY_ID, Script::always(status))]).client();
        let error = client.resume_run(id()).await.expect_err("no isTerminal");
        assert_eq!(error.started(), Started::Yes, "{error}");
        assert!(error.to_string().contains("isTerminal"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contradicting_state_without_a_verdict_is_no_success() {
    for state in ["failed", "cancelled", "process-error"] {
        let report = confirmed(json!({ "status": state, "isTerminal": true })).await;
        assert!(!report.outcome().is_success(), "{state}");
        assert_eq!(report.state().as_str(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_unknown_by_job_name_is_polled_by_test_run_id() {
    let status = json!({ "status": "passed", "isTerminal": true, "verdict": "pass" });
    let transport = FakeTransport::by_path([
        ("/v1/execution/suite", Script::always(both())),
        (BY_ID, Script::always(status)),
    ]);
    let report = start(&transport).await.await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Passed);
}

/// The error of polling a run known by both ids, and the routes that were polled.
async fn poll_error(pins: bool, v1: u16, v2: u16, by_id: u16) -> (Error, Vec<String>) {
    let status = |code| Script::always(FakeResponse::status(code));
    let transport =
        FakeTransport::by_path([(V1, status(v1)), (V2, status(v2)), (BY_ID, status(by_id))]);
    let handle =
        json!({ "jobName": "job", "testRunId": "run-id", "apiVersion": "v1", "pinned": pins });
    let handle: RunHandle = serde_json::from_value(handle).expect("a handle");
    let status = transport.client().resume_run(handle).status().await;
    (status.expect_err("no status"), paths(&transport))
}

#[tokio::test(start_paused = true)]
async fn other_routes_are_polled_only_after_a_404() {
    let (error, polled) = poll_error(false, 403, 404, 404).await;
    assert!(
        error.is_forbidden() && polled == [V1],
        "{error}, {polled:?}"
    );
    let (error, polled) = poll_error(true, 404, 404, 404).await;
    assert!(
        error.is_not_found() && polled == [V1],
        "{error}, {polled:?}"
    );
    // The other version may know the run: its error decides, and not the 404.
    let (error, polled) = poll_error(false, 404, 503, 404).await;
    assert_eq!(error.status_code(), Some(503));
    assert_eq!(polled, [V1, V2]);
    // The error to report is that of the preferred route.
    let (error, polled) = poll_error(false, 404, 404, 503).await;
    assert!(error.is_not_found(), "{error}");
    assert_eq!(polled, [V1, V2, BY_ID]);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_any_id_may_have_started() {
    for response in [
        json!({ "name": null }),
        json!({ "name": "", "runId": "" }),
        json!({ "name": "..", "runId": null, "echo": "hunter2-of-nobody" }),
        json!({ "name": 7, "runId": [] }),
    ] {
        let transport =
            FakeTransport::by_path([("/v2/execution/grep", Script::always(response.clone()))]);
        let grep = Grep::new("checkout").env("PASSWORD", "hunter2-of-nobody");
        let grep = transport.client().run_grep(grep);
        let error = grep.start().await.expect_err("no identity");
        assert_eq!(error.kind(), ErrorKind::MayHaveStarted, "{error:?}");
        assert_eq!(error.started(), Started::Maybe);
        let text = format!("{error} {error:?}");
        assert!(text.contains("neither a job name nor a test run id"));
        assert!(!text.contains("hunter2"), "{text}");
    }
    let response = json!({ "name": null, "echo": "hunter2-of-nobody" });
    let client = FakeTransport::always(response).client();
    let start = client
        .run_grep("checkout")
        .extra_field("envOverrides", json!({ "PASSWORD": "hunter2-of-nobody" }));
    let error = start.start().await.expect_err("no identity");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    for handle in ["{}", r#"{"jobName":"..","testRunId":"run-id"}"#] {
        serde_json::from_str::<RunHandle>(handle).expect_err("no identity");
    }
}

#[tokio::test(start_paused = true)]
async fn a_404_of_an_observed_route_says_that_it_is_not_documented() {
    let client = FakeTransport::by_path([]).client();
    let id = TestRunId::new("run-id").expect("an id");
    let by_id = client.resume_run(id).status().await.expect_err("404");
    let affected = client.affected_tests(["a.ts"]).await.expect_err("404");
    for error in [by_id, affected] {
        assert!(error.is_not_found());
        assert!(error.to_string().contains("not documented"), "{error}");
    }
    let job = JobName::new("job").expect("a name");
    let documented = client.resume_run(job).status().await.expect_err("404");
    assert!(!documented.to_string().contains("not documented"));
}

#[test]
fn a_handle_that_an_earlier_version_stored_keeps_its_settings() {
    let stored = r#"{"jobName":"job","apiVersion":"v1","isPinned":true,"isHealing":false}"#;
    let handle: RunHandle = serde_json::from_str(stored).expect("a handle");
    assert_eq!(handle.auto_heal(), Some(false));
    let now = json!({ "jobName": "job", "apiVersion": "v1", "pinned": true, "autoHeal": false });
    assert_eq!(json!(handle), now);
}
