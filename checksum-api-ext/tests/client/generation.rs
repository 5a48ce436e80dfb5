use checksum_api_ext::{Error, InvalidRequest};
use checksum_mock::{BatchScript, Fault, Mock};
use serde_json::json;

use crate::client_of;

#[tokio::test]
async fn every_member_arrives_and_the_answer_is_kept() {
    let mock = Mock::start().await.expect("a mock");
    let repo = "acme-co/webapp".parse().expect("a repository");
    let generate = client_of(&mock)
        .generate(repo, 42, "feature/checkout-redesign")
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
    let session = batch.session_id().expect("a session");
    assert!(
        batch
            .session_url()
            .expect("a page")
            .ends_with(session.as_str())
    );

    let resumed = client_of(&mock).generation_batch(batch.id().clone());
    assert!(resumed.session_id().is_none() && resumed.session_url().is_none());
    assert_eq!(resumed.await.expect("a report").pull_requests().count(), 1);
}

#[tokio::test]
async fn a_session_that_fails_is_no_success() {
    let mock = Mock::start().await.expect("a mock");
    mock.next_generation(BatchScript::new().fails_all());
    let repo = "acme-co/webapp".parse().expect("a repository");
    let batch = client_of(&mock)
        .generate(repo, 1, "b")
        .await
        .expect("a batch");
    mock.fault(Fault::status(404).on_operation("get_generation_batch"));
    let report = batch.await.expect("a report, the grace included");
    assert!(!report.is_success());
    assert_eq!(report.pull_requests().count(), 0);
}

#[tokio::test]
async fn what_would_be_refused_is_not_sent_and_what_may_have_started_is_not_repeated() {
    let mock = Mock::start().await.expect("a mock");
    let checksum = client_of(&mock);
    let of = |repo: &str, pr, branch: &str| {
        checksum.generate(repo.parse().expect("a repository"), pr, branch)
    };
    let generate = |pr, branch: &str| of("acme-co/webapp", pr, branch);
    for (pr, branch, reason) in [
        (0, "main", InvalidRequest::PrNumber),
        (1, " ", InvalidRequest::NoBranch),
    ] {
        let error = generate(pr, branch).await.expect_err("refused");
        assert!(matches!(error, Error::Invalid(invalid) if invalid == reason));
    }
    for repo in [
        "my-tests",
        "/my-tests",
        "acme-co/",
        "/",
        " /my-tests",
        "acme-co/ ",
        "acme co/x",
        "acme-co/x/extra",
        "acme-co//x",
        "../x",
        "acme-co/..",
        "https://github.com/acme-co/x",
    ] {
        let error = of(repo, 1, "main").await.expect_err(repo);
        assert!(
            matches!(error, Error::Invalid(InvalidRequest::NoOwner)),
            "{repo}"
        );
    }
    assert_eq!(mock.request_count(), 0);

    mock.fault(Fault::reset_after_handling().on_operation("trigger_auto_generate"));
    let error = generate(1, "main").await.expect_err("a failure");
    assert!(error.is_dispatch_uncertain(), "{error}");
    assert_eq!(mock.request_count(), 1);
}
