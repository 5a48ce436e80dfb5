//! What is sent, and that no run is started twice or lost.

use checksum_mock::{Fault, Mock, RecordedRequest, RunScript};
use serde_json::json;

use crate::invocation::checksum;

fn posts(mock: &Mock) -> Vec<RecordedRequest> {
    let requests = mock.requests().into_iter();
    requests
        .filter(|request| request.method == "POST")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_selection_starts_what_it_names() {
    let mock = Mock::start().await.expect("a stand-in");
    for arguments in [
        "run suite --detach",
        "run suite --detach --auto-heal --repo acme-co/my-tests --heal-branch main --pr 42",
        "run suite --detach --auto-heal --no-create-pr",
        "run collection collection-abc-123 --detach",
        "run tests id1 id2 --detach",
        "run grep checkout --detach --branch feature/preview --env BASE_URL=https://a.b/?c=d --env E=",
    ] {
        let ended = checksum(&mock.url(), arguments).end();
        assert_eq!(ended.code, 0, "{arguments}: {ended:?}");
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
        let mock = Mock::start().await.expect("a stand-in");
        mock.fault(fault.clone().on_operation("run_suite"));
        let ended = checksum(&mock.url(), "run suite").end();
        assert_eq!(ended.code, 5, "{fault:?}: {ended:?}");
        assert!(
            ended.stderr.contains("may have started"),
            "{fault:?}: {ended:?}"
        );
        assert_eq!(posts(&mock).len(), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_certainly_not_acted_on_is_repeated() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.fault(
        Fault::status(429)
            .header("retry-after", "0")
            .on_operation("run_suite")
            .times(2),
    );
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(posts(&mock).len(), 3);
    assert!(
        ended.stdout.starts_with("job-name-12345: passed"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_name_says_what_is_known() {
    let mock = Mock::start().await.expect("a stand-in");
    let unnamed = r#"{"name":null,"runId":"","id":"job-77"}"#;
    mock.fault(Fault::respond_with(unnamed).on_operation("run_suite"));
    let ended = checksum(&mock.url(), "run suite").end();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(ended.stderr.contains("may have started"), "{ended:?}");
    assert!(ended.stderr.contains("job-77"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_does_not_end_a_wait() {
    let mock = Mock::start().await.expect("a stand-in");
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
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s").end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.stderr.matches("trouble: ").count(), 7, "{ended:?}");
    assert_eq!(
        ended.stderr.matches("answers again").count(),
        1,
        "{ended:?}"
    );
}
