//! Whether work has started, for every way in which a start can fail; and how long a start takes.

use std::time::Duration;

use checksum_api_ext::types::TestRunId;
use checksum_api_ext::{Error, PollPolicy, RetryPolicy, Run, Started};
use checksum_tests::{Answer, Answers};
use serde_json::json;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

async fn start(answer: impl Into<Answer>) -> Result<Run, Error> {
    let answers = Answers::new([answer.into()]);
    answers.client().run_suite().start().await
}

#[tokio::test(start_paused = true)]
async fn every_error_of_a_start_says_whether_it_has_started() {
    for (status, expected) in [
        (400, Started::No),
        (401, Started::No),
        (403, Started::No),
        (404, Started::No),
        (408, Started::Maybe),
        (409, Started::No),
        (422, Started::No),
        (425, Started::No),
        (429, Started::No),
        (500, Started::Maybe),
        (502, Started::Maybe),
        (503, Started::Maybe),
        (504, Started::Maybe),
    ] {
        let error = start(Answer::status(status)).await.expect_err("an error");
        assert_eq!(error.started(), expected, "{status}: {error}");
        assert_eq!(error.is_dispatch_uncertain(), expected == Started::Maybe);
    }
    for body in [
        "",
        "<html>",
        "{\"name\": \"job",
        "[]",
        "{}",
        "null",
        "{\"name\":\"..\"}",
    ] {
        let error = start(Answer::status(200).body(body))
            .await
            .expect_err("an error");
        assert_eq!(error.started(), Started::Maybe, "{body}: {error}");
        assert!(error.is_dispatch_uncertain());
    }
    let unsent = Answers::new([json!({ "name": "job" })]).client();
    let error = unsent.run_grep("").start().await.expect_err("an error");
    assert_eq!(error.started(), Started::No);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_wait_says_that_the_work_has_started() {
    let policy = PollPolicy::fixed(10 * SECOND);
    let deadline = policy.deadline(30 * SECOND);
    for (answer, policy) in [
        (Answer::status(401), policy),
        (Answer::status(503), policy),
        (json!({ "status": "running" }).into(), deadline),
    ] {
        let answers = Answers::new([json!({ "name": "job" }).into(), answer]);
        let run = answers.client().run_suite().start().await.expect("a run");
        let error = run.poll_policy(policy).await.expect_err("an error");
        assert_eq!(error.started(), Started::Yes, "{error}");
    }
    let nothing = Answers::new([Answer::status(401)]).client();
    let error = nothing.project().await.expect_err("an error");
    assert_eq!(error.started(), Started::No);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_names_the_run_elsewhere_is_shown() {
    for body in [
        json!({ "jobName": "job-77" }),
        json!({ "data": { "name": "job-77" } }),
        json!({ "id": "job-77" }),
        json!({ "name": { "id": "job-77" } }),
        json!({ "name": null, "echo": "key-that-nobody-may-see", "id": "job-77" }),
        json!(["job-77"]),
    ] {
        let answers = Answers::new([body.clone()]);
        let client = answers.client_with("key-that-nobody-may-see");
        let error = client.run_suite().start().await.expect_err("no name");
        let text = error.to_string();
        assert!(text.contains("job-77"), "{body}: {text}");
        assert!(text.contains("may have started"), "{body}: {text}");
        assert!(
            !format!("{text}{error:?}").contains("nobody-may-see"),
            "{error:?}"
        );
        assert!(!text.contains("trying again can help"), "{text}");
    }
    // The same for a batch, which cannot be followed without its id.
    let answers = Answers::new([json!({ "id": "batch-77" })]);
    let heal = answers
        .client()
        .heal(TestRunId::new("run-id").expect("an id"));
    let error = heal.without_pull_request().start().await;
    let error = error.expect_err("no id");
    assert!(error.to_string().contains("batch-77"), "{error}");
    assert_eq!(error.started(), Started::Maybe);
}

#[tokio::test(start_paused = true)]
async fn a_start_is_repeated_within_the_deadline_alone() {
    let limited = |answer: Answer, limit: Duration| {
        let answers = Answers::new([answer]);
        let policy = PollPolicy::default().deadline(limit);
        let client = answers
            .builder()
            .poll_policy(policy)
            .retry_policy(RetryPolicy::default())
            .build();
        (answers, client.expect("a client"))
    };
    let busy = Answer::status(429).header("retry-after", "12");
    let (answers, client) = limited(busy.clone(), 3 * SECOND);
    let began = Instant::now();
    let error = client.run_suite().start().await.expect_err("too many");
    assert_eq!(error.started(), Started::No);
    assert!(began.elapsed() <= 3 * SECOND);
    assert_eq!(answers.requests().len(), 1);

    let (answers, client) = limited(busy, 30 * SECOND);
    client.run_suite().start().await.expect_err("too many");
    let times = ["0", "12", "24"].map(|at| format!("{at} POST /v1/execution/suite"));
    assert_eq!(answers.requests(), times);

    let (answers, client) = limited(Answer::status(425), 30 * SECOND);
    client.run_suite().start().await.expect_err("too early");
    assert_eq!(answers.requests().len(), 1, "425 is not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_responded_to_is_given_up_at_the_deadline() {
    let mock = checksum_mock::Mock::builder().without_socket();
    mock.fault(checksum_mock::Fault::hang().always());
    for (limit, given_up) in [(3 * SECOND, 3 * SECOND), (Duration::ZERO, SECOND)] {
        let policy = PollPolicy::default().deadline(limit);
        let client = checksum_tests::builder_of(&mock)
            .poll_policy(policy)
            .build()
            .expect("a client");
        let began = Instant::now();
        let error = client.run_suite().start().await.expect_err("no response");
        assert_eq!(began.elapsed(), given_up);
        assert_eq!(error.started(), Started::Maybe);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_not_repeated_after_its_deadline_for_want_of_budget() {
    let busy = Answer::status(429).header("retry-after", "1");
    let answers = Answers::new([busy, json!({ "status": "running" }).into()]);
    let policy = PollPolicy::default().deadline(5 * SECOND);
    let builder = answers
        .builder()
        .poll_policy(policy)
        .retry_policy(RetryPolicy::default());
    let client = builder
        .max_requests_per_second(1)
        .build()
        .expect("a client");
    let began = Instant::now();
    let (start, _) = tokio::join!(client.run_suite().start(), async {
        let name = "job"
            .parse::<checksum_api_ext::types::JobName>()
            .expect("a name");
        let waits: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(
                    client
                        .resume_run(name.clone())
                        .poll_policy(PollPolicy::default())
                        .wait(),
                )
            })
            .collect();
        tokio::time::sleep(20 * SECOND).await;
        waits.iter().for_each(tokio::task::JoinHandle::abort);
    });
    assert_eq!(start.expect_err("too many").started(), Started::No);
    assert!(began.elapsed() >= 20 * SECOND);
    let posts = answers
        .requests()
        .into_iter()
        .filter(|line| line.contains("POST"));
    assert_eq!(posts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_error_of_a_start_repeats_the_value_of_a_variable() {
    for body in [
        json!({ "jobName": "j", "envOverrides": { "PASSWORD": "hunter2-secret" } }),
        json!({ "name": 3, "echo": "PASSWORD=hunter2-secret" }),
        json!(["hunter2-secret"]),
    ] {
        let client = Answers::new([body]).client();
        let start = client
            .run_grep("checkout")
            .env("PASSWORD", "hunter2-secret");
        let error = start.start().await.expect_err("no name");
        let shown = format!("{error} {error:?} {:?}", error.answer());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
