//! Runs that are known by a job name, a test run id, or both; and runs of what a change affects.

use std::sync::{Arc, Mutex};

use checksum_api_ext::types::{JobName, TestRunId};
use checksum_api_ext::{
    AutoHeal, Checksum, ChecksumBuilder, Contradiction, Error, Handle, InvalidRequest, Outcome,
    PollPolicy, RetryPolicy, Run, RunHandle, RunReport, Started,
};
use http::Response;
use serde_json::{Value, json};

const BASE: &str = "https://checksum.invalid/public-api";

/// A service that responds by the path of the request, 404 where it has no response, and notes the
/// requests.
#[derive(Clone, Default)]
struct Service {
    responses: Vec<(&'static str, Vec<Value>)>,
    requests: Arc<Mutex<Vec<String>>>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    /// Of several responses the last is repeated. A number is a status.
    fn on_operation(
        mut self,
        path: &'static str,
        responses: impl IntoIterator<Item = Value>,
    ) -> Self {
        self.responses.push((path, responses.into_iter().collect()));
        self
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("requests").clone()
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().expect("bodies").clone()
    }

    fn client(&self) -> Checksum {
        self.builder().build().expect("a client")
    }

    fn builder(&self) -> ChecksumBuilder {
        let service = self.clone();
        Checksum::builder()
            .api_key("a-key".parse().expect("a key"))
            .base_url(BASE.parse().expect("a URL"))
            .poll_policy(PollPolicy::fixed(std::time::Duration::from_secs(10)))
            .retry_policy(RetryPolicy::none())
            .transport(move |request: reqwest::Request| {
                let response = service.respond(&request);
                async move { Ok(response.into()) }
            })
    }

    fn respond(&self, request: &reqwest::Request) -> Response<String> {
        let path = request.url().path().trim_start_matches("/public-api");
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = body.and_then(|body| serde_json::from_slice(body).ok());
        self.bodies
            .lock()
            .expect("bodies")
            .push(body.unwrap_or_default());
        let mut requests = self.requests.lock().expect("requests");
        let earlier = requests.iter().filter(|one| *one == path).count();
        requests.push(path.to_owned());
        let found = self.responses.iter().find(|(known, _)| *known == path);
        let response = found.and_then(|(_, all)| all.get(earlier).or(all.last()));
        let response = response.cloned().unwrap_or(json!(404));
        let (status, body) = match response.as_u64() {
            Some(status) => (u16::try_from(status).expect("a status"), "{}".to_owned()),
            None => (200, response.to_string()),
        };
        Response::builder()
            .status(status)
            .body(body)
            .expect("a response")
    }
}

const V1: &str = "/v1/execution/status/job";
const BY_ID: &str = "/v1/execution/status/run/run-id";

fn both() -> Value {
    json!({ "name": "job", "runId": "run-id" })
}

fn passed() -> Value {
    json!({ "status": "passed", "passed": 3, "failed": 0, "recovered": 0, "bug": 0 })
}

async fn start(service: &Service) -> Run {
    let run = service.client().run_suite().start().await;
    run.expect("a run")
}

/// The end of a run that the documented route calls passed, where the other says this of it.
async fn confirmed(by_id: Value) -> RunReport {
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(V1, [passed()])
        .on_operation(BY_ID, [by_id]);
    start(&service).await.await.expect("an end")
}

#[tokio::test(start_paused = true)]
async fn a_sharded_run_is_followed_by_its_test_run_id() {
    let service = Service::default()
        .on_operation(
            "/v2/execution/grep",
            [json!({ "name": null, "runId": "run-id", "sharded": true })],
        )
        .on_operation(
            BY_ID,
            [
                json!({ "status": "passed", "isTerminal": false, "verdict": "pending" }),
                json!({ "status": "passed", "isTerminal": true, "verdict": "pass", "failureReason": null }),
            ],
        );
    let grep = service.client().run_grep("checkout").shards(8);
    let run = grep.start().await.expect("a run");
    assert_eq!(run.job_name(), None);
    assert_eq!(run.test_run_id().map(TestRunId::as_str), Some("run-id"));
    assert_eq!(Handle::from(&run).to_string(), "test run run-id");

    let saved = serde_json::to_string(&run.handle()).expect("JSON");
    let handle: RunHandle = serde_json::from_str(&saved).expect("a handle");
    let report = service.client().resume_run(handle).await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.strict_outcome(), Outcome::Passed);
    assert_eq!(report.test_run_id().map(TestRunId::as_str), Some("run-id"));
    assert_eq!(report.job_name(), None);
    assert_eq!(
        service.requests(),
        ["/v2/execution/grep", BY_ID, BY_ID],
        "no other route knows the run"
    );
    assert_eq!(service.bodies()[0]["shardCount"], 8);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_confirmed_once_by_the_test_run_id() {
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(V1, [json!({ "status": "running" }), passed()])
        .on_operation(
            BY_ID,
            [json!({ "status": "passed", "isTerminal": true, "verdict": "pass" })],
        );
    let report = start(&service).await.await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.counts().map(|counts| counts.passed), Some(3));
    assert_eq!(service.requests(), ["/v1/execution/suite", V1, V1, BY_ID]);
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
async fn an_end_that_is_not_confirmed_is_none() {
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(V1, [passed()])
        .on_operation(
            BY_ID,
            [
                json!({ "status": "passed", "isTerminal": false, "verdict": "pending" }),
                json!({ "status": "failed", "isTerminal": true, "verdict": "fail" }),
            ],
        );
    let report = start(&service).await.await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(
        service.requests(),
        ["/v1/execution/suite", V1, BY_ID, V1, BY_ID]
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_without_the_observed_route_leaves_the_end_to_the_state() {
    for by_id in [json!(404), json!(405), json!(403), json!([]), json!({})] {
        let report = confirmed(by_id.clone()).await;
        assert_eq!(report.outcome(), Outcome::Passed, "{by_id}");
        assert_eq!(report.test_run_id().map(TestRunId::as_str), Some("run-id"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_confirmed_stands_and_is_no_strict_pass() {
    for by_id in [
        vec![json!(503)],
        vec![json!({ "status": "passed", "isTerminal": "yes" })],
    ] {
        let service = Service::default()
            .on_operation("/v1/execution/suite", [both()])
            .on_operation(V1, [passed()])
            .on_operation(BY_ID, by_id);
        let report = start(&service).await.await.expect("an end");
        assert_eq!(report.outcome(), Outcome::Passed);
        assert_eq!(report.strict_outcome(), Outcome::Failed);
        let contradiction = report.contradiction();
        assert!(matches!(
            contradiction,
            Some(Contradiction::Unconfirmed { .. })
        ));
    }
    // It is asked for as persistently as whatever is read.
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(V1, [passed()])
        .on_operation(
            BY_ID,
            [
                json!(503),
                json!({ "status": "passed", "isTerminal": true, "verdict": "fail" }),
            ],
        );
    let client = service.builder().retry_policy(RetryPolicy::default());
    let client = client.build().expect("a client");
    let run = client.run_suite().start().await.expect("a run");
    assert_eq!(run.await.expect("an end").outcome(), Outcome::Failed);

    // What has failed needs no confirmation.
    let failed = json!({ "status": "failed", "passed": 1, "failed": 1 });
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(V1, [failed])
        .on_operation(BY_ID, [json!(500)]);
    let report = start(&service).await.await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_known_by_its_test_run_id_passes_by_its_verdict_alone() {
    let id = || TestRunId::new("run-id").expect("an id");
    for verdict in [json!(null), json!(7), json!("pending"), json!("fail")] {
        let status = json!({ "status": "passed", "isTerminal": true, "verdict": verdict });
        let client = Service::default().on_operation(BY_ID, [status]).client();
        let report = client.resume_run(id()).await.expect("an end");
        assert_eq!(report.outcome(), Outcome::Failed, "{verdict}");
        assert!(report.contradiction().is_some(), "{verdict}");
    }
    for status in [
        json!({ "status": "passed" }),
        json!({ "status": "passed", "isTerminal": [], "verdict": "pass" }),
    ] {
        let client = Service::default().on_operation(BY_ID, [status]).client();
        let error = client.resume_run(id()).await.expect_err("no isTerminal");
        assert_eq!(error.started(), Started::Yes, "{error}");
        assert!(error.to_string().contains("isTerminal"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_contradicts_without_a_verdict_takes_the_pass_away() {
    for state in ["failed", "cancelled", "process-error"] {
        let report = confirmed(json!({ "status": state, "isTerminal": true })).await;
        assert!(!report.outcome().is_success(), "{state}");
        assert_eq!(report.state().as_str(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn the_test_run_id_leads_to_a_run_that_the_job_name_does_not() {
    let status = json!({ "status": "passed", "isTerminal": true, "verdict": "pass" });
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation(BY_ID, [status]);
    let report = start(&service).await.await.expect("an end");
    assert_eq!(report.outcome(), Outcome::Passed);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_by_neither_may_have_started() {
    for response in [
        json!({ "name": null }),
        json!({ "name": "", "runId": "" }),
        json!({ "name": "..", "runId": null, "echo": "hunter2-of-nobody" }),
        json!({ "name": 7, "runId": [] }),
    ] {
        let service = Service::default().on_operation("/v2/execution/grep", [response.clone()]);
        let grep = service.client().run_grep("checkout");
        let grep = grep.env("PASSWORD", "hunter2-of-nobody");
        let error = grep.start().await.expect_err("no identity");
        assert!(matches!(error, Error::Unidentified { .. }), "{error:?}");
        assert_eq!(error.started(), Started::Maybe);
        let text = format!("{error} {error:?}");
        assert!(text.contains("neither a job name nor a test run id"));
        assert!(!text.contains("hunter2"), "{text}");
    }
    for handle in ["{}", r#"{"jobName":"..","testRunId":"run-id"}"#] {
        serde_json::from_str::<RunHandle>(handle).expect_err("no identity");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observed_route_that_is_not_there_is_named_as_such() {
    let client = Service::default().client();
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

#[tokio::test(start_paused = true)]
async fn what_a_change_affects_is_run_by_a_pattern_of_the_ids() {
    let affected = json!({ "affectedTestIds": ["z", "a.b", "(c)", "a.b"] });
    let service = Service::default()
        .on_operation("/v1/affected-tests", [affected])
        .on_operation("/v2/execution/grep", [both()]);
    let run = service.client().run_affected(["b.ts", "a.ts"]).await;
    let run = run.expect("an answer").expect("affected tests");
    drop(run.branch("feature").start().await.expect("a run"));
    let bodies = service.bodies();
    assert_eq!(bodies[0], json!({ "changedFiles": ["a.ts", "b.ts"] }));
    assert_eq!(
        bodies[1],
        json!({ "grep": r"(\(c\)|a\.b|z)", "branch": "feature" })
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_where_nothing_is_affected() {
    let none = json!({ "affectedTestIds": [] });
    let service = Service::default().on_operation("/v1/affected-tests", [none]);
    let run = service.client().run_affected(["README.md"]).await;
    assert!(run.expect("an answer").is_none());
    assert_eq!(service.requests(), ["/v1/affected-tests"]);
    let no_files = service.client().affected_tests([""; 0]).await;
    assert!(no_files.expect("an answer").is_empty());
    assert_eq!(service.requests().len(), 1, "nothing has changed");

    let many = (0..2500).map(|number| format!("{number}.ts"));
    let found = service.client().affected_tests(many).await;
    assert!(found.expect("an answer").is_empty());
    let sent: Vec<usize> = service.bodies()[1..]
        .iter()
        .map(|body| body["changedFiles"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sent, [1000, 1000, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_response_without_a_list_of_affected_tests_is_no_empty_one() {
    for response in [json!({}), json!({ "affectedTestIds": null }), json!([])] {
        let service = Service::default().on_operation("/v1/affected-tests", [response.clone()]);
        let run = service.client().run_affected(["a.ts"]).await;
        let error = run.expect_err("no list");
        assert_eq!(error.started(), Started::No, "{response}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn observed_fields_have_methods_and_are_checked() {
    let service = Service::default()
        .on_operation("/v1/execution/suite", [both()])
        .on_operation("/v2/execution/grep", [both()]);
    let client = service.client();
    let heal = AutoHeal::without_pull_request().metadata("ticket", json!({ "id": 7 }));
    let suite = client.run_suite().suites(["s-1".parse().expect("an id")]);
    let suite = suite.auto_heal(heal.clone()).extra_field("priority", 1);
    drop(suite.start().await.expect("a run"));
    assert_eq!(
        service.bodies()[0],
        json!({
            "suiteIds": ["s-1"],
            "autoHeal": { "autoCreatePR": false, "metadata": { "ticket": { "id": 7 } } },
            "priority": 1,
        })
    );
    for (grep, expected) in [
        (client.run_grep("a").shards(1), InvalidRequest::ShardCount),
        (client.run_grep("a").shards(41), InvalidRequest::ShardCount),
        (
            client.run_grep("a").shards(2).auto_heal(heal),
            InvalidRequest::ShardsAndHealing,
        ),
    ] {
        let error = grep.start().await.expect_err("refused");
        assert!(matches!(error, Error::Invalid(found) if found == expected));
    }
    assert_eq!(service.requests().len(), 1, "the others are not sent");
}
