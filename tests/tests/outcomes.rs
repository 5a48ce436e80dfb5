//! What makes a run or a batch a success, a failure or a contradiction, alone and in a watch set.

use checksum_api_ext::{
    ApiVersion, BatchStatus, Checksum, Contradiction, Event, Handle, Outcome, RunHandle, RunReport,
    RunStatus,
};
use checksum_api_ext::{BatchId, JobName};
use checksum_tests::FakeTransport;
use serde_json::{Value, json};

fn v1() -> RunHandle {
    RunHandle::new(JobName::new("job").expect("a job name")).pin_api_version(ApiVersion::V1)
}

async fn end(status: Value) -> RunReport {
    let checksum = FakeTransport::always(status).client();
    checksum.resume_run(v1()).await.expect("a report")
}

async fn batch(status: Value) -> BatchStatus {
    let checksum = FakeTransport::always(status).client();
    let id = BatchId::new("batch").expect("an id");
    checksum.resume_heal_batch(id).await.expect("a report")
}

#[tokio::test(start_paused = true)]
async fn a_run_of_no_tests_is_no_success() {
    for status in [
        json!({ "status": "passed", "passed": 0, "failed": 0, "recovered": 0, "bug": 0 }),
        json!({ "status": "healed", "passed": 0, "failed": 0, "recovered": 0, "bug": 0 }),
        json!({ "status": "passed", "passed": "0", "failed": 0.0 }),
        json!({ "status": "passed", "passed": 0 }),
        json!({ "status": "passed", "passed": 0, "failed": 0, "recovered": 0, "bug": {} }),
        json!({ "status": "PASSED", "passed": 0, "failed": 0, "verdict": "pass" }),
    ] {
        let report = end(status.clone()).await;
        assert_eq!(report.outcome(), Outcome::NoTests, "{status}");
        assert_eq!(report.strict_outcome(), Outcome::NoTests, "{status}");
        assert!(!report.outcome().is_success());
    }
    // A failure stays what it is.
    let report = end(json!({ "status": "failed", "passed": 0, "failed": 0 })).await;
    assert_eq!(report.outcome(), Outcome::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_no_tests_passes_if_the_caller_allows_it() {
    let allowing = |status: Value| {
        FakeTransport::always(status)
            .builder()
            .allow_no_tests()
            .build()
            .expect("a client")
    };
    let none = json!({ "status": "passed", "passed": 0, "failed": 0, "recovered": 0, "bug": 0 });
    let checksum = allowing(none.clone());
    let report = checksum.resume_run(v1()).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Passed);
    let status = checksum.resume_run(v1()).status().await.expect("a status");
    assert_eq!(status.outcome(), Some(Outcome::Passed));
    assert!(is_success_in_a_set(&checksum).await);
    assert!(!is_success_in_a_set(&FakeTransport::always(none.clone()).client()).await);

    // A verdict of fail is never a pass.
    let mut failed = none;
    failed["verdict"] = "fail".into();
    let report = allowing(failed).resume_run(v1()).await.expect("a report");
    assert_eq!(report.outcome(), Outcome::Failed);
}

async fn is_success_in_a_set(checksum: &Checksum) -> bool {
    let mut all = checksum.watch([Handle::Run(v1())]);
    let mut ends = Vec::new();
    while let Some((_, event)) = all.next().await {
        if let Event::Finished(report) = event.expect("no error") {
            ends.push(report.is_success());
        }
    }
    assert_eq!(ends.len(), 1);
    ends[0]
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_field_is_a_contradiction() {
    let good = json!({ "status": "passed", "passed": 3, "failed": 0, "recovered": 0, "bug": 0 });
    let with = |field: &str, value: Value| {
        let mut status = good.clone();
        status[field] = value;
        status
    };
    for (status, field) in [
        (with("failed", json!("three")), "failed"),
        (with("failed", json!({ "count": 3 })), "failed"),
        (with("failed", json!(-1)), "failed"),
        (with("passed", json!(true)), "passed"),
        (with("recovered", json!([1])), "recovered"),
        (with("bug", json!("")), "bug"),
        (with("isTerminal", json!("yes")), "isTerminal"),
        (with("verdict", json!(false)), "verdict"),
        (with("verdict", json!({ "result": "fail" })), "verdict"),
    ] {
        let report = end(status.clone()).await;
        assert_eq!(report.outcome(), Outcome::Passed, "{status}");
        assert_eq!(report.strict_outcome(), Outcome::Failed, "{status}");
        let state = "passed".to_owned();
        let expected = Contradiction::Unreadable {
            state,
            field: field.to_owned(),
        };
        assert_eq!(report.contradiction(), Some(expected), "{status}");
    }
    let report = end(good.clone()).await;
    assert_eq!(
        (report.contradiction(), report.strict_outcome()),
        (None, Outcome::Passed)
    );
}

#[tokio::test(start_paused = true)]
async fn numbers_as_strings_and_words_in_capitals_are_read() {
    for status in [
        json!({ "status": "passed", "passed": 3, "failed": "2" }),
        json!({ "status": "passed", "passed": 3, "failed": 2.0 }),
    ] {
        let report = end(status).await;
        assert_eq!(report.counts().map(|counts| counts.failed), Some(2));
        assert!(matches!(
            report.contradiction(),
            Some(Contradiction::FailedTests { failed: 2, .. })
        ));
    }
    for verdict in ["FAIL", "Fail", "fail "] {
        let status = json!({ "status": "passed", "passed": 3, "failed": 0, "verdict": verdict });
        let report = end(status).await;
        assert_eq!(report.outcome(), Outcome::Failed, "{verdict}");
        let contradiction = report.contradiction();
        assert!(matches!(contradiction, Some(Contradiction::Verdict { .. })));
    }
    for (state, outcome) in [
        ("PASSED", Outcome::Passed),
        ("Cancelled", Outcome::Cancelled),
    ] {
        let report = end(json!({ "status": state, "passed": 3, "failed": 0 })).await;
        assert_eq!(report.outcome(), outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_without_counts_or_verdict_is_a_contradiction() {
    for status in [
        json!({ "status": "passed" }),
        json!({ "status": "healed", "recovered": 1 }),
        json!({ "status": "passed", "passed": null, "failed": null }),
        json!({ "status": "passed", "passed": 3 }),
    ] {
        let report = end(status.clone()).await;
        assert!(report.outcome().is_success(), "{status}");
        assert!(
            matches!(report.contradiction(), Some(Contradiction::NoCounts { .. })),
            "{status}"
        );
        assert_eq!(report.strict_outcome(), Outcome::Failed);
    }
    for verdict in ["pending", "perhaps"] {
        let status = json!({ "status": "passed", "passed": 3, "failed": 0, "verdict": verdict });
        let report = end(status).await;
        let text = report.contradiction().expect("a contradiction").to_string();
        assert!(text.contains(&format!("`{verdict}`")), "{text}");
        assert_eq!(report.strict_outcome(), Outcome::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn totals_that_contradict_the_sessions_of_a_batch() {
    let session = json!({ "sessionId": "s", "status": "completed", "prUrl": null });
    let with = |totals: Value, sessions: Value| {
        let mut batch = json!({
            "batchId": "batch", "status": "completed", "allTerminal": true, "sessions": sessions,
        });
        let fields = totals.as_object().cloned().unwrap_or_default();
        batch.as_object_mut().expect("an object").extend(fields);
        batch
    };
    for (totals, sessions, is_success) in [
        (json!({}), json!([]), true),
        (
            json!({ "totalSessions": 0, "completedCount": 0, "failedCount": 0 }),
            json!([]),
            true,
        ),
        (
            json!({ "totalSessions": 1, "completedCount": 1 }),
            json!([session]),
            true,
        ),
        (
            json!({ "totalSessions": "1", "completedCount": 1.0 }),
            json!([session]),
            true,
        ),
        (json!({ "totalSessions": 1 }), json!([session]), true),
        (
            json!({ "totalSessions": 5, "completedCount": 0 }),
            json!([]),
            false,
        ),
        (
            json!({ "totalSessions": 5, "completedCount": 4 }),
            json!([session]),
            false,
        ),
        (json!({ "totalSessions": 2 }), json!([session]), false),
        (json!({ "failedCount": "1" }), json!([session]), false),
    ] {
        let report = batch(with(totals.clone(), sessions)).await;
        assert_eq!(report.is_success(), is_success, "{totals}");
        let contradiction = report.contradiction();
        let is_by_total = totals.get("totalSessions").is_some();
        assert_eq!(
            contradiction.map(|one| matches!(one, Contradiction::Sessions { .. })),
            (!is_success).then_some(is_by_total),
            "{totals}"
        );
    }
    let counted = json!({ "totalSessions": 1, "completedCount": 0 });
    let report = batch(with(counted, json!([session]))).await;
    assert!(report.is_success(), "every session is listed as completed");
    assert!(matches!(
        report.contradiction(),
        Some(Contradiction::Total { .. })
    ));

    for field in ["totalSessions", "completedCount", "failedCount"] {
        let report = batch(with(json!({ field: "none" }), json!([session]))).await;
        assert!(report.is_success());
        let state = "completed".to_owned();
        let expected = Contradiction::Unreadable {
            state,
            field: field.to_owned(),
        };
        assert_eq!(report.contradiction(), Some(expected));
    }
    let mut shouting = with(json!({}), json!([]));
    shouting["status"] = "FAILED".into();
    assert!(!batch(shouting).await.is_success());
}

#[tokio::test(start_paused = true)]
async fn a_batch_in_an_unknown_state_is_no_success() {
    let session = |status: &str| json!({ "sessionId": "s", "status": status, "prUrl": null });
    for (state, sessions) in [
        ("cancelled", json!([])),
        ("error", json!([session("error")])),
        ("completed", json!([session("cancelled")])),
        ("in_progress", json!([session("completed")])),
    ] {
        let report = batch(json!({
            "batchId": "batch", "status": state, "allTerminal": true, "sessions": sessions,
        }))
        .await;
        assert!(!report.is_success(), "{state} {sessions}");
    }
}

/// A status can be stored and read again, and means the same then.
#[tokio::test(start_paused = true)]
async fn a_stored_status_has_the_same_outcome() {
    for status in [
        json!({ "status": "passed", "passed": 0, "failed": 0, "recovered": 0, "bug": 0 }),
        json!({ "status": "passed", "passed": 3, "failed": {} }),
        json!({ "status": "passed", "passed": 3, "failed": 0 }),
        json!({ "status": "passed", "passed": 3 }),
        json!({ "status": "passed", "passed": 3, "failed": 0, "verdict": "fail" }),
    ] {
        let before = end(status.clone()).await.status().clone();
        let stored = serde_json::to_string(&before).expect("JSON");
        let after: RunStatus = serde_json::from_str(&stored).expect("a status");
        assert_eq!(after.outcome(), before.outcome(), "{status}");
        assert_eq!(after.contradiction(), before.contradiction(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_with_a_failure_reason_is_a_contradiction() {
    let status = json!({
        "status": "passed", "passed": 3, "failed": 0, "failureReason": "1/8 shards failed",
    });
    let report = end(status).await;
    assert!(
        report
            .contradiction()
            .is_some_and(|one| one.to_string().contains("1/8 shards"))
    );
    assert_eq!(report.strict_outcome(), Outcome::Failed);
}
