use checksum_api_ext::{PrNumber, Started};
use checksum_mock::{BatchScript, Fault, Mock};
use serde_json::json;

use crate::client_of;

#[tokio::test]
async fn every_member_arrives_and_the_answer_is_kept() {
    let mock = Mock::start().await.expect("a mock");
    let repo = "acme-co/webapp".parse().expect("a repository");
    let generate = client_of(&mock)
        .generate(
            repo,
            PrNumber::new(42).expect("a number"),
            "feature/checkout-redesign",
        )
        .env("BASE_URL", "https://preview.example.com/hunter2/")
        .metadata("triggeredBy", "release-bot")
        .extra_field("model", "careful");
    let shown = format!("{generate:?}");
    assert!(
        shown.contains("BASE_URL") && !shown.contains("hunter2"),
        "{shown}"
    );

    let batch = generate.await.expect("a batch");
    let request = mock.requests().pop().expect("a request");
    assert_eq!(
        request.body,
        json!({
            "prNumber": 42, "repoName": "acme-co/webapp", "branch": "feature/checkout-redesign",
            "metadata": { "triggeredBy": "release-bot" },
            "envOverrides": { "BASE_URL": "https://preview.example.com/hunter2/" },
            "model": "careful",
        })
    );
    let response = batch.start_response().expect("a response");
    assert_eq!(response.status, 202);
    assert!(!response.body.is_empty());
    let session = batch.session_id().expect("a session");
    assert!(
        batch
            .session_url()
            .expect("a page")
            .ends_with(session.as_str())
    );

    let resumed = client_of(&mock).resume_generation_batch(batch.id().clone());
    assert!(resumed.session_id().is_none() && resumed.session_url().is_none());
    assert_eq!(resumed.await.expect("a report").pull_requests().count(), 1);
}

#[tokio::test]
async fn a_session_that_fails_is_no_success() {
    let mock = Mock::start().await.expect("a mock");
    mock.next_generation(BatchScript::new().fail_all());
    let repo = "acme-co/webapp".parse().expect("a repository");
    let batch = client_of(&mock)
        .generate(repo, PrNumber::new(1).expect("a number"), "b")
        .await
        .expect("a batch");
    mock.fault(Fault::status(404).on_operation("get_generation_batch"));
    let report = batch.await.expect("a report, the grace included");
    assert!(!report.is_success());
    assert_eq!(report.pull_requests().count(), 0);
}

#[tokio::test]
async fn a_start_that_may_have_succeeded_is_not_repeated() {
    let mock = Mock::start().await.expect("a mock");
    let repo = "acme-co/webapp".parse().expect("a repository");
    mock.fault(Fault::reset_after_handling().on_operation("trigger_auto_generate"));
    let number = PrNumber::new(1).expect("a number");
    let generate = client_of(&mock).generate(repo, number, "main");
    let error = generate.await.expect_err("a failure");
    assert_eq!(error.started(), Started::Maybe, "{error}");
    assert_eq!(mock.request_count(), 1);
}
