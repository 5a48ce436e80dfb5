//! What is read after a run: results, the report and the latest test run.

use checksum_api_ext::{HealthStatus, TestStatus};
use checksum_mock::{Fault, Mock, RunScript, TestScript};
use serde_json::json;

use crate::client_of;

#[tokio::test]
async fn results_have_every_field_of_each_test() {
    let mock = Mock::start().await.expect("a mock");
    mock.next_run(RunScript::new().end_state("failed").tests([
        TestScript::new("t-1").tags(["smoke"]).file("a.spec.ts"),
        TestScript::new("t-2").fails("no button"),
        TestScript::new("t-3").status("recovered"),
        TestScript::new("t-4").status("bug"),
        TestScript::new("t-5").status("quarantined"),
    ]));
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let results = report.results().await.expect("results");
    let failed: Vec<_> = results.failed().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].error_message.as_deref(), Some("no button"));
    assert_eq!(failed[0].health_status, Some(HealthStatus::Flaky));
    let passed = results.passed().next().expect("a test");
    assert_eq!(
        (&*passed.tags, passed.test_file_path.as_deref()),
        (&["smoke".to_owned()][..], Some("a.spec.ts"))
    );
    assert_eq!(
        (results.recovered().count(), results.bugs().count()),
        (1, 1)
    );
    assert_eq!(results.with_status("quarantined".into()).count(), 1);
    assert!(results.test(&"t-5".parse().expect("an id")).is_some());

    let test_run = report.test_run().expect("an id");
    let filtered = test_run.results_with_status(TestStatus::Bug).await;
    let filtered = filtered.expect("results");
    assert!(filtered.tests().iter().eq(results.bugs()));
    let request = mock.requests().pop().expect("a request");
    assert_eq!(request.query.as_deref(), Some("status=bug"));
}

#[tokio::test]
async fn results_of_unexpected_shape_are_decoded() {
    let mock = Mock::start().await.expect("a mock");
    let odd = json!({
        "id": "run-id", "status": "brand-new", "passed": "many", "tests": [{
            "checksumTestId": "t", "status": "failed", "errorMessage": "x".repeat(1_000_000),
            "tags": null, "healthStatus": 3, "owner": "me",
        }],
    });
    mock.fault(Fault::respond_with(odd.to_string()).on_operation("get_test_run_results"));
    let test_run = client_of(&mock).test_run("run-id".parse().expect("an id"));
    let results = test_run.results().await.expect("results");
    let test = results.failed().next().expect("a test");
    assert_eq!(
        test.error_message.as_ref().map(String::len),
        Some(1_000_000)
    );
    assert_eq!((test.tags.len(), test.health_status.is_none()), (0, true));
    assert_eq!(test.extra["owner"], "me");

    for page in ["<html>Sign in</html>", "{\"tests\":", ""] {
        // As often as the client tries.
        mock.fault(
            Fault::respond_with(page)
                .times(4)
                .on_operation("get_test_run_results"),
        );
        let error = test_run.results().await.expect_err("no results");
        assert!(error.raw().is_some_and(|e| e.is_transient()), "{error}");
    }
}

#[tokio::test]
async fn latest_test_run_returns_the_latest_run() {
    let mock = Mock::start().await.expect("a mock");
    let checksum = client_of(&mock);
    assert!(
        checksum
            .latest_test_run()
            .await
            .expect_err("none")
            .is_not_found()
    );
    let run = checksum.run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let latest = checksum.latest_test_run().await.expect("a run");
    assert_eq!(Some(latest.id()), report.test_run_id());
    assert_eq!(latest.raw()["status"], "passed");

    mock.fault(Fault::respond_with("{\"runs\": 3}").on_operation("get_latest_test_run"));
    let error = checksum.latest_test_run().await.expect_err("no id");
    assert_eq!(error.response_body(), Some(&json!({ "runs": 3 })));
    assert_eq!(
        error.to_string(),
        "get_latest_test_run: the response has no test run's id: `{\"runs\":3}`"
    );
}

#[tokio::test]
async fn the_report_is_found_and_written() {
    let mock = Mock::start().await.expect("a mock");
    let checksum = client_of(&mock);
    let run = checksum.run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let report = report
        .test_run()
        .expect("an id")
        .report()
        .await
        .expect("a report");
    assert_eq!(report.raw()["url"], report.url().as_str());

    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("new/report.html");
    let saved = report.download(&path).await.expect("saved");
    assert_eq!(
        (&saved.path, saved.content_type.as_deref()),
        (&path, Some("text/html; charset=utf-8"))
    );
    let page = std::fs::read_to_string(&path).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.len() as u64 == saved.bytes);
}
