//! What was observed of the live service, and is not documented.

use std::time::Duration;

use axum::body::Body;
use checksum_mock::{Clock, Mock, RunScript, TestScript};
use http::Request;
use serde_json::{Value, json};

use crate::client::{Client, mock, observed_mock};

const RUN_ID: &str = "00000000-0000-4000-8000-000000000001";

/// A script of a run that has ended at once.
fn immediate() -> RunScript {
    RunScript::new().queued(0).running(0)
}

/// The status of a run by its id.
async fn judged(client: &Client, id: &str) -> Value {
    let path = format!("/v1/execution/status/run/{id}");
    client.get(&path).await.ok()
}

fn judgement(status: &str, verdict: &str, reason: Option<&str>) -> Value {
    json!({
        "status": status,
        "isTerminal": verdict != "pending",
        "verdict": verdict,
        "failureReason": reason,
    })
}

/// Starts a run, and gives the response.
async fn start(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body).await.ok()
}

/// The ids of the tests that a run of that id ran.
async fn tests_of(client: &Client, id: &str) -> Vec<String> {
    let path = format!("/v1/test-runs/{id}/results");
    let results = client.get(&path).await.ok();
    let tests = results["tests"].as_array().expect("tests").iter();
    tests
        .map(|test| test["checksumTestId"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_vendors_header_carries_the_key_where_it_was_observed() {
    let status = async |mock: Mock, headers: &[(&str, &str)]| {
        let mut request = Request::get("/public-api/v1/me");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        Client::of(&mock).send(request).await.status
    };
    let documented = || Mock::builder().api_key("right");
    let observed = || documented().observed().without_socket();
    let code = "ChecksumAppCode";
    assert_eq!(status(observed(), &[(code, "right")]).await, 200);
    assert_eq!(status(observed(), &[(code, " right ")]).await, 200);
    let both = [("authorization", "Bearer wrong"), (code, "right")];
    assert_eq!(status(observed(), &both).await, 200);
    let bearer = [("authorization", "Bearer right")];
    assert_eq!(status(observed(), &bearer).await, 200);
    for wrong in ["", " ", "wrong", "Bearer right"] {
        assert_eq!(status(observed(), &[(code, wrong)]).await, 401, "{wrong}");
    }
    let any = Mock::builder().observed().without_socket();
    assert_eq!(status(any, &[(code, "any")]).await, 200);
    let documented = documented().without_socket();
    assert_eq!(status(documented, &[(code, "right")]).await, 401);
}

#[tokio::test]
async fn each_start_gives_the_id_of_the_run_at_once() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let starts = [
        ("/v1/execution/suite", json!({})),
        ("/v1/execution/collection/collection-abc-123", json!({})),
        ("/v1/execution/tests", json!({ "testIds": ["id1"] })),
        ("/v1/execution/grep", json!({ "grep": "checkout" })),
        ("/v2/execution/grep", json!({ "grep": "checkout" })),
    ];
    for ((path, body), number) in starts.into_iter().zip(1..) {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let name = format!("job-name-{}", 12_344 + number);
        assert_eq!(
            start(&client, path, body).await,
            json!({ "name": name, "runId": id, "sharded": false })
        );
        assert_eq!(judged(&client, &id).await["status"], "queued", "{path}");
    }
    let unknown = "/v1/execution/status/run/job-name-12345";
    client.get(unknown).await.rejection(404);
}

#[tokio::test]
async fn a_run_is_judged_in_every_state() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().queued(1).running(1));
    start(&client, "/v1/execution/suite", json!({})).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(judged(&client, RUN_ID).await);
    }
    let expected = [
        judgement("queued", "pending", None),
        judgement("running", "pending", None),
        judgement("passed", "pass", None),
    ];
    assert_eq!(seen, expected);
    // The documented routes return what is documented.
    let plain = client.get("/v1/execution/status/job-name-12345").await.ok();
    assert_eq!(
        plain,
        json!({ "status": "passed", "passed": 6, "failed": 0, "recovered": 0, "bug": 0 })
    );

    for (script, end, verdict, reason) in [
        (immediate().healed(), "healed", "pass", None),
        (
            immediate().fail_tests(["test-def-456"]),
            "failed",
            "fail",
            Some("tests failed"),
        ),
        (
            immediate().process_error(),
            "process-error",
            "fail",
            Some("the runner was lost"),
        ),
        (
            immediate().cancelled(),
            "cancelled",
            "fail",
            Some("somebody cancelled the run"),
        ),
        (
            immediate().end_state("superseded"),
            "superseded",
            "fail",
            Some("the run ended in a state of its own"),
        ),
    ] {
        mock.next_run(script);
        let started = start(&client, "/v1/execution/suite", json!({})).await;
        assert_eq!(
            judged(&client, started["runId"].as_str().unwrap()).await,
            judgement(end, verdict, reason)
        );
    }
}

#[tokio::test]
async fn a_run_of_no_tests_passes_by_its_state_and_fails_by_its_verdict() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let empty = Some("no test matches the selection");
    for (script, path, body, verdict, reason) in [
        (
            immediate(),
            "/v2/execution/grep",
            json!({ "grep": "nothing like it" }),
            "fail",
            empty,
        ),
        (
            immediate(),
            "/v1/execution/suite",
            json!({ "suiteIds": ["other"] }),
            "fail",
            empty,
        ),
        (
            immediate().tests([]),
            "/v1/execution/suite",
            json!({}),
            "fail",
            empty,
        ),
        (
            immediate().tests([]).passed(3),
            "/v1/execution/suite",
            json!({}),
            "pass",
            None,
        ),
    ] {
        mock.next_run(script);
        let started = start(&client, path, body).await;
        let (name, id) = (&started["name"], &started["runId"]);
        let (name, id) = (name.as_str().unwrap(), id.as_str().unwrap());
        let plain = client.get(&format!("/v1/execution/status/{name}")).await;
        let plain = plain.ok();
        assert_eq!(plain["status"], "passed");
        assert_eq!(plain["passed"] == 0, verdict == "fail", "{plain}");
        let expected = judgement("passed", verdict, reason);
        assert_eq!(judged(&client, id).await, expected);
    }
}

#[tokio::test]
async fn a_sharded_run_is_followed_by_its_id_alone() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let body = json!({ "grep": "User", "shardCount": 2 });
    mock.next_run(RunScript::new().queued(1).running(0));
    assert_eq!(
        start(&client, "/v2/execution/grep", body).await,
        json!({ "name": null, "runId": RUN_ID, "sharded": true })
    );
    for version in ["v1", "v2"] {
        for name in ["job-name-12345", RUN_ID, "null"] {
            let path = format!("/{version}/execution/status/{name}");
            client.get(&path).await.rejection(404);
        }
    }
    let expected = judgement("queued", "pending", None);
    assert_eq!(judged(&client, RUN_ID).await, expected);
    let expected = judgement("passed", "pass", None);
    assert_eq!(judged(&client, RUN_ID).await, expected);
    assert_eq!(tests_of(&client, RUN_ID).await.len(), 5);
}

#[tokio::test]
async fn a_lost_shard_is_seen_in_the_verdict_alone() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let cases = [
        (
            8,
            1,
            5,
            "1/8 shards failed; merged report is missing their tests",
        ),
        (
            2,
            1,
            3,
            "1/2 shards failed; merged report is missing their tests",
        ),
        (
            40,
            2,
            4,
            "2/40 shards failed; merged report is missing their tests",
        ),
        (
            3,
            9,
            0,
            "3/3 shards failed; merged report is missing their tests",
        ),
    ];
    for (count, lost, left, reason) in cases {
        mock.next_run(immediate().lost_shards(lost));
        let body = json!({ "grep": ".", "shardCount": count });
        let started = start(&client, "/v2/execution/grep", body).await;
        let id = started["runId"].as_str().unwrap();
        assert_eq!(
            judged(&client, id).await,
            judgement("passed", "fail", Some(reason))
        );
        assert_eq!(tests_of(&client, id).await.len(), left, "{reason}");
    }
    // The reason is the same where the state is no pass either.
    for (script, state) in [
        (immediate().fail_tests(["test-pqr-678"]), "failed"),
        (immediate().process_error(), "process-error"),
    ] {
        mock.next_run(script.lost_shards(1));
        let body = json!({ "grep": ".", "shardCount": 2 });
        let started = start(&client, "/v2/execution/grep", body).await;
        assert_eq!(
            judged(&client, started["runId"].as_str().unwrap()).await,
            judgement(state, "fail", Some(cases[1].3))
        );
    }
    // A script can shard any run, and has two shards then.
    mock.next_run(immediate().sharded(true).lost_shards(1));
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    let judged_of = judged(&client, started["runId"].as_str().unwrap()).await;
    assert_eq!(judged_of["failureReason"], cases[1].3);
    // A run without shards cannot lose one.
    mock.next_run(immediate().lost_shards(1));
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    let judged_of = judged(&client, started["runId"].as_str().unwrap()).await;
    assert_eq!(judged_of, judgement("passed", "pass", None));
}

#[tokio::test]
async fn a_run_whose_reports_are_merged_has_not_ended() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let minute = Duration::from_secs(60);
    mock.next_run(immediate().merging(minute));
    start(&client, "/v1/execution/suite", json!({})).await;
    let results = format!("/v1/test-runs/{RUN_ID}/results");

    let plain = client.get("/v2/execution/status/job-name-12345").await.ok();
    assert_eq!(plain["status"], "passed");
    assert_eq!(plain["passed"], 6);
    assert_eq!(plain["testRunId"], RUN_ID);
    let expected = judgement("passed", "pending", None);
    assert_eq!(judged(&client, RUN_ID).await, expected);
    client.get(&results).await.rejection(404);

    mock.clock().advance(minute);
    let expected = judgement("passed", "pass", None);
    assert_eq!(judged(&client, RUN_ID).await, expected);
    client.get(&results).await.ok();

    // Looks move it on as well.
    mock.next_run(immediate().fail_tests(["test-def-456"]).merging(1));
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    let id = started["runId"].as_str().unwrap();
    let expected = judgement("failed", "pending", None);
    assert_eq!(judged(&client, id).await, expected);
    let expected = judgement("failed", "fail", Some("tests failed"));
    assert_eq!(judged(&client, id).await, expected);
}

#[tokio::test]
async fn healing_follows_once_the_reports_are_merged() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let minute = Duration::from_secs(60);
    mock.next_run(immediate().fail_tests(["test-def-456"]).merging(minute));
    let block = json!({ "autoCreatePR": false, "metadata": { "context": [1, null] } });
    let body = json!({ "autoHeal": block });
    start(&client, "/v1/execution/suite", body).await;
    assert_eq!(mock.heal_batches(), Vec::<String>::new());
    mock.clock().advance(minute);
    assert_eq!(mock.heal_batches().len(), 1);
}

#[tokio::test]
async fn suites_are_chosen_by_their_ids() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let smoke = ["test-abc-123", "test-jkl-012", "test-pqr-678"];
    let checkout = ["test-def-456", "test-ghi-789"];
    for (suites, expected) in [
        (json!(["suite-abc-123"]), smoke.to_vec()),
        (json!(["suite-def-456", "other"]), checkout.to_vec()),
        (json!(["other"]), vec![]),
        (
            json!([]),
            [smoke.as_slice(), &checkout, &["test-mno-345"]].concat(),
        ),
    ] {
        mock.next_run(immediate());
        let body = json!({ "suiteIds": suites });
        let started = start(&client, "/v1/execution/suite", body).await;
        let mut tests = tests_of(&client, started["runId"].as_str().unwrap()).await;
        tests.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(tests, expected, "{suites}");
    }
}

#[tokio::test]
async fn affected_tests_follow_from_the_files_unless_they_are_given() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let affected = async |files: Value| {
        let body = json!({ "changedFiles": files });
        client.post("/v1/affected-tests", body).await.ok()
    };
    let ids = |ids: &[&str]| json!({ "affectedTestIds": ids });
    for (files, expected) in [
        (json!([]), ids(&[])),
        (json!(["README.md", "", "src/shopping-cart.ts"]), ids(&[])),
        (json!(["src/cart.ts"]), ids(&["test-abc-123"])),
        (
            json!(["src/checkout/payment.ts", "checksum/tests/cart.spec.ts"]),
            ids(&["test-abc-123", "test-def-456", "test-ghi-789"]),
        ),
    ] {
        assert_eq!(affected(files).await, expected);
    }
    mock.set_affected_tests(["b.(c", "test-abc-123"]);
    for _ in 0..2 {
        let expected = ids(&["b.(c", "test-abc-123"]);
        assert_eq!(affected(json!(["README.md"])).await, expected);
    }
    // A grep finds what is affected, though the project does not have it.
    mock.next_run(immediate());
    let body = json!({ "grep": r"(b\.\(c|test-abc-123)" });
    let started = start(&client, "/v2/execution/grep", body).await;
    let tests = tests_of(&client, started["runId"].as_str().unwrap()).await;
    assert_eq!(tests, ["test-abc-123", "b.(c"]);
    mock.set_affected_tests([""; 0]);
    assert_eq!(affected(json!(["src/cart.ts"])).await, ids(&[]));
}

#[tokio::test]
async fn a_missing_or_wrong_observed_field_is_named() {
    let mock = observed_mock();
    let client = Client::of(&mock);
    let grep = |count: Value| {
        (
            "/v2/execution/grep",
            json!({ "grep": "a", "shardCount": count }),
        )
    };
    let suite = |ids: Value| ("/v1/execution/suite", json!({ "suiteIds": ids }));
    let affected = |files: Value| ("/v1/affected-tests", json!({ "changedFiles": files }));
    let wrong_counts = [
        json!(0),
        json!(1),
        json!(41),
        json!(-2),
        json!(2.5),
        json!("4"),
        json!(null),
        json!([2]),
        json!(true),
    ];
    let wrong_suites = [
        json!("a"),
        json!([1]),
        json!(["a", ""]),
        json!([".."]),
        json!(null),
    ];
    let wrong_files = [
        json!("a"),
        json!([1]),
        json!([null]),
        json!({}),
        json!(null),
        json!(vec!["a"; 1001]),
    ];
    let counts = wrong_counts.into_iter().map(grep);
    let suites = wrong_suites.into_iter().map(suite);
    let files = wrong_files.into_iter().map(affected);
    let without = ("/v1/affected-tests", json!({}));
    for (path, body) in counts.chain(suites).chain(files).chain([without]) {
        let response = client.post(path, body.clone()).await;
        let message = response.rejection(422);
        let field = match path {
            "/v2/execution/grep" => "shardCount",
            "/v1/execution/suite" => "suiteIds",
            _ => "changedFiles",
        };
        assert_eq!(response.json()["path"], field, "{body}");
        assert!(message.starts_with(field), "{message}");
    }
    for count in [2, 40] {
        let (path, body) = grep(json!(count));
        assert_eq!(start(&client, path, body).await["sharded"], true);
    }
    client
        .post("/v1/affected-tests", affected(json!(vec!["a"; 1000])).1)
        .await
        .ok();

    let body = json!({ "grep": "a", "shardCount": 2, "autoHeal": { "repoName": "a/b" } });
    let message = client.post("/v2/execution/grep", body).await.rejection(400);
    assert_eq!(message, "shardCount and autoHeal exclude each other");
    let block = json!({ "repoName": "a/b", "metadata": [1] });
    let response = client
        .post("/v1/execution/suite", json!({ "autoHeal": block }))
        .await;
    response.rejection(422);
    assert_eq!(response.json()["path"], "autoHeal.metadata");
    // Nothing of all that was started.
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    assert_eq!(started["name"], "job-name-12347");
}

#[tokio::test]
async fn a_service_that_is_only_documented_ignores_observed_fields() {
    let mock = mock();
    let client = Client::of(&mock);
    let grep = json!({ "grep": "checkout", "shardCount": 99, "autoHeal": { "repoName": "a/b" } });
    let accepted = start(&client, "/v2/execution/grep", grep).await;
    assert_eq!(accepted, json!({ "name": "job-name-12345" }));
    let accepted = start(&client, "/v1/execution/suite", json!({ "suiteIds": 1 })).await;
    let id = client.follow(accepted["name"].as_str().unwrap()).await;
    assert_eq!(tests_of(&client, &id).await.len(), 6);
}

#[tokio::test]
async fn a_script_decides_on_an_observed_service_too() {
    let builder = Mock::builder().observed().clock(Clock::manual());
    let builder = builder.default_run(immediate().tests([TestScript::new("a")]));
    let mock = builder.without_socket();
    let client = Client::of(&mock);
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    let id = started["runId"].as_str().unwrap();
    assert_eq!(tests_of(&client, id).await, ["a"]);
    mock.next_run(immediate().field("verdict", "unsure"));
    let started = start(&client, "/v1/execution/suite", json!({})).await;
    let judged = judged(&client, started["runId"].as_str().unwrap()).await;
    assert_eq!(judged["verdict"], "unsure");
}
