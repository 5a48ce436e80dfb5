//! `checksum run`: what is sent, and that no run is started twice or lost.

use checksum_mock::{Fault, Mock, RecordedRequest, RunScript};
use serde_json::json;

use crate::invocation::{exec, last_body, observed_mock, start_mock};

fn posts(mock: &Mock) -> Vec<RecordedRequest> {
    let requests = mock.requests().into_iter();
    requests
        .filter(|request| request.method == "POST")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_selection_sends_its_request() {
    let mock = start_mock().await;
    for arguments in [
        "run suite --detach",
        "run suite --detach --auto-heal --repo acme-co/my-tests --heal-branch main --pr 42",
        "run suite --detach --auto-heal --no-create-pr",
        "run collection collection-abc-123 --detach",
        "run tests id1 id2 --detach",
        "run grep checkout --detach --branch feature/preview --env BASE_URL=https://a.b/?c=d --env E=",
    ] {
        exec(&mock, arguments).exits(0);
    }
    let posts = posts(&mock);
    let sent: Vec<_> = posts
        .iter()
        .map(|post| (post.operation_id, post.body.clone()))
        .collect();
    let heal = json!({
        "autoCreatePR": true,
        "repoName": "acme-co/my-tests",
        "branch": "main",
        "prNumber": 42,
    });
    let env = json!({ "BASE_URL": "https://a.b/?c=d", "E": "" });
    assert_eq!(
        sent,
        [
            (Some("run_suite"), json!(null)),
            (Some("run_suite"), json!({ "autoHeal": heal })),
            (
                Some("run_suite"),
                json!({ "autoHeal": { "autoCreatePR": false } })
            ),
            (Some("run_collection"), json!(null)),
            (Some("run_tests"), json!({ "testIds": ["id1", "id2"] })),
            (
                Some("run_grep_v2"),
                json!({ "grep": "checkout", "branch": "feature/preview", "envOverrides": env })
            ),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_start_is_not_repeated() {
    for fault in [
        Fault::reset_before_handling(),
        Fault::reset_after_handling(),
        Fault::truncated(),
        Fault::status(500),
        Fault::status(503).header("retry-after", "0"),
        Fault::status(200).body("<html>Sign in</html>"),
        Fault::status(200).body("{\"name\": 1"),
    ] {
        let mock = start_mock().await;
        mock.fault(fault.clone().on_operation("run_suite"));
        exec(&mock, "run suite")
            .exits(5)
            .stderr_has("may have started");
        assert_eq!(posts(&mock).len(), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_retried_after_429() {
    let mock = start_mock().await;
    mock.fault(
        Fault::status(429)
            .header("retry-after", "0")
            .on_operation("run_suite")
            .times(2),
    );
    let ended = exec(&mock, "run suite --poll-interval 0s").exits(0);
    assert_eq!(posts(&mock).len(), 3);
    assert!(
        ended.stdout.starts_with("job-name-12345: passed"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_response_without_a_name_is_reported() {
    let mock = start_mock().await;
    let unnamed = r#"{"name":null,"runId":"","id":"job-77"}"#;
    mock.fault(Fault::respond_with(unnamed).on_operation("run_suite"));
    exec(&mock, "run suite")
        .exits(5)
        .stderr_has("may have started")
        .stderr_has("job-77");
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_errors_are_reported_and_tolerated() {
    let mock = start_mock().await;
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    for fault in [
        Fault::status(502).body("<html>bad gateway</html>"),
        Fault::status(503).header("retry-after", "0"),
        Fault::status(429).header("retry-after", "0"),
        Fault::reset_before_handling(),
        Fault::reset_after_handling(),
        Fault::truncated(),
        Fault::status(200).body("<html>Sign in</html>"),
    ] {
        mock.fault(fault.on_operation("get_run_status"));
    }
    let ended = exec(&mock, "run suite --poll-interval 0s").exits(1);
    assert_eq!(
        ended.stderr.matches("poll failed: ").count(),
        7,
        "{ended:?}"
    );
    assert_eq!(
        ended.stderr.matches("polling recovered").count(),
        1,
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_metadata_accept_any_json() {
    let mock = observed_mock().await;
    let run = "run suite --suite suite-abc-123 --field priority={\"level\":2} --auto-heal \
        --no-create-pr --metadata by=me --metadata ticket:=[7] --detach";
    exec(&mock, run).exits(0);
    assert_eq!(
        last_body(&mock, "run_suite"),
        json!({
            "suiteIds": ["suite-abc-123"],
            "priority": { "level": 2 },
            "autoHeal": { "autoCreatePR": false, "metadata": { "by": "me", "ticket": [7] } },
        })
    );
}
