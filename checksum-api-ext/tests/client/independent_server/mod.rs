//! A server that shares no code with the mock: it responds with the examples of the API's
//! description, and with guesses where the description shows none.

mod examples;

use std::collections::BTreeSet;

use checksum_api::OperationId;
use checksum_api_ext::{AttachmentKind, Checksum, Grep, HealOptions, Outcome, PrNumber};
use checksum_api_ext::{BatchState, BugSeverity, BugStatus, SessionState, TestStatus};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use self::examples::*;
use crate::{KEY, client_at};

/// What the service may respond where its description shows nothing. Each has a run, a report, a
/// trace and a screenshot, and a critical and a minor bug.
struct Guess {
    latest: Value,
    report: Value,
    attachments: Value,
    bugs: Value,
}

fn guesses() -> [Guess; 3] {
    let report = "https://files.example/run-id/index.html?signature=a%2Fb";
    let trace = "https://files.example/run-id/trace.zip?signature=a%2Fb";
    let screenshot = "https://files.example/run-id/test-failed-1.png";
    [
        Guess {
            latest: json!({ "id": "run-id", "status": "failed", "branch": "main" }),
            report: json!({ "url": report }),
            attachments: json!([
                { "name": "trace", "type": "trace", "url": trace },
                { "name": "screenshot", "type": "screenshot", "url": screenshot },
            ]),
            bugs: json!([
                { "id": "bug-1", "title": "Cannot pay", "severity": "critical",
                  "status": "needs-triage", "tags": ["checkout"] },
                { "id": "bug-2", "title": "Typo", "severity": "minor", "status": "snoozed" },
            ]),
        },
        Guess {
            latest: json!({ "testRunId": "run-id", "jobName": "job-name-12345" }),
            report: json!(report),
            attachments: json!({ "traces": [trace], "screenshots": [screenshot], "videos": [] }),
            bugs: json!({
                "bugs": [
                    { "_id": 1, "name": "Cannot pay", "severity": "critical",
                      "state": "needs-triage", "test": { "checksumTestId": "test-def-456" } },
                    { "_id": 2, "name": "Typo", "severity": "minor", "state": "snoozed" },
                ],
                "total": 2, "limit": 50, "offset": 0,
            }),
        },
        Guess {
            latest: json!({ "data": { "testRun": { "uuid": "run-id", "state": "failed" } } }),
            report: json!({ "data": { "reportUrl": report, "expiresAt": "2026-12-01" } }),
            attachments: json!({ "data": [
                { "fileName": "trace.zip", "contentType": "application/zip", "signedUrl": trace },
                { "fileName": "shot.png", "contentType": "image/png", "signedUrl": screenshot },
            ] }),
            bugs: json!({
                "data": [
                    { "bugId": "bug-1", "summary": "Cannot pay", "severity": "critical",
                      "status": "needs-triage", "collection": { "name": "Checkout" } },
                    { "bugId": "bug-2", "summary": "Typo", "severity": "minor",
                      "status": "snoozed" },
                ],
                "pagination": { "hasMore": false },
            }),
        },
    ]
}

/// Responds to a request to this route that has the key, and the body if one is given.
async fn responds(
    server: &MockServer,
    (verb, route): (&str, &str),
    body: Option<Value>,
    status: u16,
    response: &str,
) {
    let mut mock = Mock::given(method(verb))
        .and(path(format!("/public-api{route}")))
        .and(header("authorization", format!("Bearer {KEY}")));
    if let Some(body) = body {
        mock = mock.and(body_json(body));
    }
    let response =
        ResponseTemplate::new(status).set_body_raw(response.to_owned(), "application/json");
    mock.respond_with(response).mount(server).await;
}

/// Responds to the first poll with a status of running work, and to all later ones with the end.
async fn ends(server: &MockServer, route: &str, ongoing: &str, end: &str) {
    let first = ResponseTemplate::new(200).set_body_raw(ongoing.to_owned(), "application/json");
    Mock::given(method("GET"))
        .and(path(format!("/public-api{route}")))
        .respond_with(first)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(server)
        .await;
    responds(server, ("GET", route), None, 200, end).await;
}

fn auto_heal() -> Value {
    json!({
        "autoCreatePR": true,
        "branch": "main",
        "repoName": "acme-co/my-tests",
        "prNumber": 42
    })
}

async fn server_with(guess: &Guess) -> MockServer {
    let server = MockServer::start().await;
    let on = &server;
    let suite = json!({ "autoHeal": auto_heal() });
    responds(
        on,
        ("POST", "/v1/execution/suite"),
        Some(suite.clone()),
        200,
        NAME,
    )
    .await;
    let collection = ("POST", "/v1/execution/collection/collection-1");
    responds(on, collection, Some(suite), 201, NAME).await;
    let tests = json!({ "testIds": ["id1", "id2"] });
    responds(on, ("POST", "/v1/execution/tests"), Some(tests), 200, NAME).await;
    let grep = json!({ "grep": "checkout" });
    responds(on, ("POST", "/v1/execution/grep"), Some(grep), 200, NAME).await;
    let grep = json!({
        "grep": "checkout",
        "branch": "feature/preview",
        "envOverrides": { "BASE_URL": "https://pr-42.preview.example.com" },
        "autoHeal": auto_heal()
    });
    responds(on, ("POST", "/v2/execution/grep"), Some(grep), 202, NAME).await;
    let status = "/v1/execution/status/job-name-12345";
    ends(on, status, RUNNING, COMPLETE_V1).await;
    let status = "/v2/execution/status/job-name-12345";
    ends(on, status, RUNNING, COMPLETE_V2).await;

    let results = ("GET", "/v1/test-runs/run-id/results");
    responds(on, results, None, 200, RESULTS).await;
    for (route, response) in [
        ("/v1/test-runs/latest", &guess.latest),
        ("/v1/test-runs/run-id/report", &guess.report),
        (
            "/v1/test-runs/run-id/tests/test-def-456/attachments",
            &guess.attachments,
        ),
        ("/v1/health-dashboard/bugs", &guess.bugs),
    ] {
        responds(on, ("GET", route), None, 200, &response.to_string()).await;
    }

    let heal = json!({
        "testRunId": "run-id",
        "autoCreatePR": true,
        "branch": "main",
        "prNumber": 42,
        "repoName": "acme-co/my-tests",
        "metadata": { "context": "post-deploy healing" }
    });
    responds(on, ("POST", "/v1/auto-heal"), Some(heal), 200, HEALING).await;
    let generate = json!({
        "prNumber": 42,
        "repoName": "acme-co/webapp",
        "branch": "feature/checkout-redesign",
        "metadata": { "triggeredBy": "release-bot" },
        "envOverrides": { "BASE_URL": "https://preview.example.com/pr-42/" }
    });
    let generation = ("POST", "/v1/auto-generate");
    responds(on, generation, Some(generate), 202, GENERATION).await;
    let end = BATCH
        .replace("in_progress", "completed")
        .replace("running", "completed")
        .replace("\"allTerminal\": false", "\"allTerminal\": true");
    ends(on, "/v1/auto-heal/batch/batch-xyz-789", BATCH, &end).await;
    ends(on, "/v1/auto-generate/batch/batch-abc", BATCH, &end).await;
    responds(on, ("GET", "/v1/me"), None, 200, PROJECT).await;
    server
}

/// Returns the operations that were requested, by the templates of the document.
fn operations(requests: &[Request]) -> BTreeSet<OperationId> {
    let operation = |request: &Request| {
        let path = request.url.path().strip_prefix("/public-api");
        let path = path.expect("a path below the base URL");
        let mut all = checksum_api::OPERATIONS.iter();
        let found = all.find(|one| one.method == request.method.as_str() && one.matches(path));
        found.expect("an operation").id
    };
    requests.iter().map(operation).collect()
}

#[tokio::test]
async fn every_operation_against_the_descriptions_examples()
-> Result<(), Box<dyn std::error::Error>> {
    for guess in guesses() {
        let server = server_with(&guess).await;
        let checksum = client_at(&server.uri());
        runs(&checksum).await?;
        after_a_run(&checksum).await?;
        batches(&checksum).await?;
        let requests = server.received_requests().await.expect("requests");
        let expected: BTreeSet<_> = OperationId::ALL
            .iter()
            .copied()
            // The one observed route that is called without being requested: it confirms an end.
            .filter(|id| !id.operation().is_observed || *id == OperationId::GetRunStatusByRunId)
            // The crate does not have the older grep.
            .filter(|id| *id != OperationId::RunGrep)
            .collect();
        assert_eq!(operations(&requests), expected);
    }
    Ok(())
}

async fn runs(checksum: &Checksum) -> Result<(), Box<dyn std::error::Error>> {
    let project = checksum.project().await?;
    assert_eq!(
        (project.id.as_str(), &*project.name),
        ("project-abc-123", "My Project")
    );

    let heal = || -> Result<HealOptions, Box<dyn std::error::Error>> {
        let heal = HealOptions::open_pull_request("acme-co/my-tests".parse()?);
        Ok(heal.target_branch("main").report_to(PrNumber::new(42)?))
    };
    let report = checksum
        .run_suite()
        .auto_heal(heal()?)
        .start()
        .await?
        .await?;
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(
        report.strict_outcome(),
        Outcome::Failed,
        "it counts 2 failed tests"
    );
    let counts = report.counts().expect("counts");
    assert_eq!(
        counts.to_string(),
        "45 passed, 2 failed, 1 recovered, 0 bug"
    );

    let collection = checksum.run_collection("collection-1".parse()?);
    let run = collection.auto_heal(heal()?).start().await?;
    assert_eq!(
        run.await?.job_name().map(|name| name.as_str()),
        Some("job-name-12345")
    );
    let tests = checksum.run_tests(["id1".parse()?, "id2".parse()?]);
    assert!(tests.start().await?.await?.outcome().is_success());

    let grep = Grep::new("checkout")
        .branch("feature/preview")
        .env("BASE_URL", "https://pr-42.preview.example.com");
    let run = checksum.run_grep(grep).auto_heal(heal()?).start().await?;
    let report = run.await?;
    let test_run = report.test_run_id().expect("v2 names it");
    assert_eq!(test_run.as_str(), "00000000-0000-0000-0000-000000000000");
    Ok(())
}

async fn after_a_run(checksum: &Checksum) -> Result<(), Box<dyn std::error::Error>> {
    let latest = checksum.latest_test_run().await?;
    let test_run = latest.test_run();

    let results = test_run.results().await?;
    let failed: Vec<_> = results.failed().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].status, TestStatus::Failed);
    let error = failed[0].error_message.as_deref();
    assert_eq!(error, Some("Timeout waiting for selector #pay-button"));

    let report = test_run.report().await?;
    let url = "https://files.example/run-id/index.html?signature=a%2Fb";
    assert_eq!(report.url().as_str(), url);

    let test_id = failed[0].checksum_test_id.clone();
    let attachments = test_run.attachments(test_id).await?;
    let urls = |kind| -> Vec<&str> {
        let of_kind = attachments.of_kind(kind);
        of_kind.map(|one| one.url().as_str()).collect()
    };
    let trace = "https://files.example/run-id/trace.zip?signature=a%2Fb";
    let screenshot = "https://files.example/run-id/test-failed-1.png";
    assert_eq!(urls(&AttachmentKind::Trace), [trace]);
    assert_eq!(urls(&AttachmentKind::Screenshot), [screenshot]);
    assert_eq!(attachments.iter().count(), 2);

    // The server does not know `offset`: it sends the same page for each request.
    let bugs: Vec<_> = checksum.bugs().into_stream().try_collect().await?;
    let seen: Vec<_> = bugs
        .iter()
        .map(|bug| {
            (
                bug.title.as_deref(),
                bug.severity.clone(),
                bug.status.clone(),
            )
        })
        .collect();
    let critical = (BugSeverity::Critical, BugStatus::NeedsTriage);
    let minor = (BugSeverity::Minor, BugStatus::Snoozed);
    let expected = [
        (Some("Cannot pay"), Some(critical.0), Some(critical.1)),
        (Some("Typo"), Some(minor.0), Some(minor.1)),
    ];
    assert_eq!(seen, expected);
    assert!(bugs.iter().all(|bug| bug.id.is_some()));
    assert_eq!(checksum.bugs().page().await?.bugs, bugs);
    Ok(())
}

async fn batches(checksum: &Checksum) -> Result<(), Box<dyn std::error::Error>> {
    let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?)
        .target_branch("main")
        .report_to(PrNumber::new(42)?)
        .metadata("context", "post-deploy healing");
    let batch = checksum.heal("run-id".parse()?, options).start().await?;
    assert_eq!(batch.session_ids().len(), 3);
    assert_eq!(batch.failure_count(), Some(3));
    assert!(!batch.status().await?.all_terminal());
    let report = batch.await?;
    assert_eq!(*report.state(), BatchState::Completed);
    let states = report.sessions().iter().map(|session| &session.status);
    assert!(states.eq([&SessionState::Completed; 3]));
    let pull_requests: Vec<_> = report.pull_requests().collect();
    assert_eq!(pull_requests, ["https://github.com/org/repo/pull/42"]);

    let batch = checksum
        .generate(
            "acme-co/webapp".parse()?,
            PrNumber::new(42)?,
            "feature/checkout-redesign",
        )
        .metadata("triggeredBy", "release-bot")
        .env("BASE_URL", "https://preview.example.com/pr-42/")
        .start()
        .await?;
    assert_eq!(batch.session_url(), Some("https://app.checksum.ai/..."));
    assert!(batch.await?.is_success());
    Ok(())
}
