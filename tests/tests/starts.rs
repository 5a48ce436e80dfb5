//! Whether work may have started, for every way in which a start can fail; and how long a start is
//! retried.

use std::time::Duration;

use checksum_api_ext::{BatchId, Handle, JobName, TestRunId};
use checksum_api_ext::{
    Error, ErrorKind, Grep, HealOptions, PollPolicy, PrNumber, RetryPolicy, Run, Started,
};
use checksum_tests::{FakeResponse, FakeTransport, KEY, Script};
use serde_json::json;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

async fn start(response: impl Into<FakeResponse>) -> Result<Run, Error> {
    let transport = FakeTransport::always(response);
    transport.client().run_suite().start().await
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
        let error = start(FakeResponse::status(status))
            .await
            .expect_err("an error");
        assert_eq!(error.started(), expected, "{status}: {error}");
        assert_eq!(error.is_unauthorized(), status == 401, "{error}");
        assert_eq!(error.is_forbidden(), status == 403, "{error}");
        assert_eq!(
            error.kind() == ErrorKind::MayHaveStarted,
            expected == Started::Maybe
        );
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
        let error = start(FakeResponse::status(200).body(body))
            .await
            .expect_err("an error");
        assert_eq!(error.started(), Started::Maybe, "{body}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_wait_says_that_the_work_has_started() {
    let policy = PollPolicy::fixed(10 * SECOND);
    let deadline = policy.deadline(30 * SECOND);
    for (response, policy) in [
        (FakeResponse::status(401), policy),
        (FakeResponse::status(503), policy),
        (json!({ "status": "running" }).into(), deadline),
    ] {
        let script = Script::in_order([json!({ "name": "job" })]).then_always(response);
        let run = FakeTransport::from(script)
            .client()
            .run_suite()
            .start()
            .await
            .expect("a run");
        let error = run.with_poll_policy(policy).await.expect_err("an error");
        assert_eq!(error.started(), Started::Yes, "{error}");
        assert_eq!(error.handle_key(), Some("run:job"), "{error}");
    }
    let unauthorized = FakeTransport::always(FakeResponse::status(401)).client();
    let error = unauthorized.project().await.expect_err("an error");
    assert_eq!(error.started(), Started::No);
    assert_eq!(error.handle_key(), None);
}

/// An id that somebody typed may be a wrong one.
#[tokio::test(start_paused = true)]
async fn work_that_the_service_does_not_know_has_started_for_certain_only_if_it_was_known_before() {
    let unknown = || FakeResponse::status(404);
    let job_name: JobName = "job".parse().expect("a name");
    let batch: BatchId = "batch".parse().expect("an id");
    let client = FakeTransport::always(unknown()).client();
    let run = client.resume_run(job_name.clone());
    let heal = client.resume_heal_batch(batch);
    for (error, key) in [
        (run.status().await.err(), "run:job"),
        (run.await.err(), "run:job"),
        (heal.status().await.err(), "heal-batch:batch"),
        (heal.await.err(), "heal-batch:batch"),
    ] {
        let error = error.expect("unknown");
        assert_eq!(error.started(), Started::Maybe, "{error}");
        assert_eq!(error.handle_key(), Some(key), "{error}");
        key.parse::<Handle>().expect("a key");
    }

    let policy = PollPolicy::fixed(SECOND).not_found_grace(Duration::ZERO);
    let script = Script::in_order([json!({ "name": "job" })]).then_always(unknown());
    let run = FakeTransport::from(script).client().run_suite().start();
    let error = run.await.expect("a run").with_poll_policy(policy).await;
    assert_eq!(error.expect_err("unknown").started(), Started::Yes);

    let script = Script::in_order([json!({ "status": "running" })]).then_always(unknown());
    let run = FakeTransport::from(script).client().resume_run(job_name);
    let error = run.await.expect_err("unknown");
    assert_eq!(error.started(), Started::Yes, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_response_without_the_job_name_is_quoted() {
    for body in [
        json!({ "jobName": "job-77" }),
        json!({ "data": { "name": "job-77" } }),
        json!({ "id": "job-77" }),
        json!({ "name": { "id": "job-77" } }),
        json!({ "name": null, "echo": KEY, "id": "job-77" }),
        json!(["job-77"]),
    ] {
        let response = FakeResponse::status(202).body(body.to_string());
        let response = response.header("x-request-id", "req-7");
        let client = FakeTransport::always(response).client();
        let error = client.run_suite().start().await.expect_err("no name");
        assert_eq!(error.status_code(), Some(202), "{error}");
        assert_eq!(error.request_id(), Some("req-7"), "{error}");
        let text = error.to_string();
        assert!(text.contains("job-77"), "{body}: {text}");
        assert!(text.contains("may have started"), "{body}: {text}");
        assert!(!format!("{text}{error:?}").contains(KEY), "{error:?}");
        assert!(!error.is_transient(), "{error}");
    }
    // The same for a batch, which cannot be polled without its id.
    let transport = FakeTransport::always(json!({ "id": "batch-77" }));
    let heal = transport.client().heal(
        TestRunId::new("run-id").expect("an id"),
        HealOptions::no_pull_request(),
    );
    let error = heal.start().await;
    let error = error.expect_err("no id");
    assert!(error.to_string().contains("batch-77"), "{error}");
    assert_eq!(error.started(), Started::Maybe);
}

#[tokio::test(start_paused = true)]
async fn retries_of_a_start_end_at_the_deadline() {
    let limited = |response: FakeResponse, limit: Duration| {
        let transport = FakeTransport::always(response);
        let policy = PollPolicy::default().deadline(limit);
        let client = transport
            .builder()
            .poll_policy(policy)
            .retry_policy(RetryPolicy::default())
            .build();
        (transport, client.expect("a client"))
    };
    let busy = FakeResponse::status(429).header("retry-after", "12");
    let (transport, client) = limited(busy.clone(), 3 * SECOND);
    let began = Instant::now();
    let error = client.run_suite().start().await.expect_err("too many");
    assert_eq!(error.started(), Started::No);
    assert!(began.elapsed() <= 3 * SECOND);
    assert_eq!(transport.requests().len(), 1);

    // Nothing is sent at the deadline itself.
    let (transport, client) = limited(busy.clone(), 12 * SECOND);
    client.run_suite().start().await.expect_err("too many");
    assert_eq!(transport.requests().len(), 1);

    let (transport, client) = limited(busy, 30 * SECOND);
    client.run_suite().start().await.expect_err("too many");
    let times = ["0", "12", "24"].map(|at| format!("{at} POST /v1/execution/suite"));
    assert_eq!(transport.requests(), times);

    let (transport, client) = limited(FakeResponse::status(425), 30 * SECOND);
    client.run_suite().start().await.expect_err("too early");
    assert_eq!(transport.requests().len(), 1, "425 is not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_response_fails_at_the_deadline() {
    let mock = checksum_mock::Mock::builder().without_socket();
    mock.fault(checksum_mock::Fault::hang().always());
    for (limit, failed_after) in [
        (3 * SECOND, 3 * SECOND),
        (Duration::ZERO, SECOND),
        // The request timeout comes first.
        (3600 * SECOND, 30 * SECOND),
    ] {
        let policy = PollPolicy::default().deadline(limit);
        let client = checksum_tests::builder_of(&mock)
            .poll_policy(policy)
            .build()
            .expect("a client");
        let began = Instant::now();
        let error = client.run_suite().start().await.expect_err("no response");
        assert_eq!(began.elapsed(), failed_after);
        assert_eq!(error.started(), Started::Maybe);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_not_retried_when_the_budget_frees_up_after_its_deadline() {
    let busy = FakeResponse::status(429).header("retry-after", "1");
    let script = Script::in_order([busy]).then_always(json!({ "status": "running" }));
    let transport = FakeTransport::from(script);
    let policy = PollPolicy::default().deadline(5 * SECOND);
    let builder = transport
        .builder()
        .poll_policy(policy)
        .retry_policy(RetryPolicy::default());
    let client = builder
        .max_requests_per_second(1)
        .build()
        .expect("a client");
    let began = Instant::now();
    let (start, _) = tokio::join!(client.run_suite().start(), async {
        let name = "job".parse::<checksum_api_ext::JobName>().expect("a name");
        let waits: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(
                    client
                        .resume_run(name.clone())
                        .with_poll_policy(PollPolicy::default())
                        .wait(),
                )
            })
            .collect();
        tokio::time::sleep(20 * SECOND).await;
        waits.iter().for_each(tokio::task::JoinHandle::abort);
    });
    assert_eq!(start.expect_err("too many").started(), Started::No);
    assert!(began.elapsed() >= 20 * SECOND);
    let posts = transport
        .requests()
        .into_iter()
        .filter(|line| line.contains("POST"));
    assert_eq!(posts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_error_has_the_value_of_an_env_override() {
    for body in [
        json!({ "jobName": "j", "envOverrides": { "PASSWORD": "hunter2-secret" } }),
        json!({ "name": 3, "echo": "PASSWORD=hunter2-secret" }),
        json!(["hunter2-secret"]),
    ] {
        let client = FakeTransport::always(body).client();
        let start = client.run_grep(Grep::new("checkout").env("PASSWORD", "hunter2-secret"));
        let error = start.start().await.expect_err("no name");
        let shown = format!("{error} {error:?} {:?}", error.response_body());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

/// What is sent may be secret, and is left out of the debug forms of the builders.
#[test]
fn debug_forms_have_names_and_no_values() {
    let checksum = FakeTransport::always(json!({})).client();
    let repo = "acme-co/webapp".parse().expect("a repository");
    let grep = checksum.run_grep(Grep::new("a").env("NAME", "hunter2"));
    let generation = checksum
        .generate(repo, PrNumber::new(42).expect("a number"), "b")
        .env("NAME", "hunter2");
    let options = HealOptions::no_pull_request()
        .metadata("NAME", "hunter2")
        .extra_field("FIELD", "hunter3");
    let heal = checksum.heal(TestRunId::new("run-id").expect("an id"), options);
    for shown in [
        format!("{grep:?}"),
        format!("{generation:?}"),
        format!("{heal:?}"),
    ] {
        assert!(shown.contains("NAME"), "{shown}");
        assert!(!shown.contains("hunter") && !shown.contains(KEY), "{shown}");
    }
}
