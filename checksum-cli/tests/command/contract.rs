//! `contract verify`: what it finds, how it ends, and that it shows nothing private.

use std::path::Path;

use checksum_mock::{Fault, Mock};
use serde_json::{Value, json};

use crate::invocation::{Ended, KEY, checksum};

/// A stand-in with a run that has ended.
async fn with_run() -> Mock {
    let mock = Mock::start().await.expect("a stand-in");
    let run = checksum(&mock.url(), "run suite --poll-interval 0s").end();
    assert_eq!(run.code, 0, "{run:?}");
    mock
}

fn answers(mock: &Mock, operation: &str, body: &Value) {
    let answer = Fault::answer(body.to_string());
    let answer = answer.header("content-type", "application/json");
    mock.fault(answer.on(operation).always());
}

fn verify(mock: &Mock, arguments: &str) -> Ended {
    let arguments = format!("contract verify --job job-name-12345 {arguments}");
    checksum(&mock.url(), &arguments).end()
}

/// What stands below the line of an operation.
fn findings(ended: &Ended, operation: &str) -> Vec<String> {
    let mut lines = ended.stdout.lines();
    let head = format!("{operation}: ");
    lines
        .by_ref()
        .find(|line| line.starts_with(&head))
        .expect("the operation");
    let own = lines.take_while(|line| line.starts_with("  "));
    own.map(|line| line.trim().to_owned()).collect()
}

fn results(test: Value) -> Value {
    let mut results = json!({
        "id": "run-id", "status": "failed", "branch": "main",
        "passed": 45, "failed": 2, "recovered": 1, "bug": 0,
        "tests": [{
            "checksumTestId": "test-abc-123", "testTitle": "User can add item to cart",
            "testFilePath": "checksum/tests/cart.spec.ts", "status": "passed",
            "errorMessage": null, "healthStatus": "healthy", "tags": ["smoke"],
        }],
    });
    if let (Value::Object(known), Value::Object(test)) = (&mut results["tests"][0], test) {
        known.extend(test);
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn without_drift_in_each_form() {
    let mock = with_run().await;
    let mut shown = String::new();
    for form in ["human", "json", "ndjson"] {
        let ended = verify(&mock, &format!("--output {form}"));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stderr, "");
        shown += &format!("--output {form}\n{}\n", ended.stdout);
    }
    insta::assert_snapshot!("contract without drift", shown);
    let is_read = |request: &checksum_mock::RecordedRequest| request.method == "GET";
    let requests = mock.requests();
    assert!(requests.iter().skip(1).all(is_read), "more than reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_drift_in_each_form() {
    let mock = with_run().await;
    answers(&mock, "get_project", &json!({ "id": 7, "plan": "free" }));
    answers(
        &mock,
        "get_test_run_results",
        &results(json!({ "status": "skipped", "healthStatus": "ok", "tags": null, "retries": 1 })),
    );
    answers(
        &mock,
        "get_run_status",
        &json!({ "status": "merging", "verdict": "meh" }),
    );
    answers(
        &mock,
        "get_test_run_report",
        &json!("https://reports.example/1"),
    );
    let mut shown = String::new();
    for form in ["human", "json", "ndjson"] {
        let ended = verify(&mock, &format!("--output {form}"));
        assert_eq!(ended.code, 1, "{ended:?}");
        shown += &format!("--output {form}\n{}\n", ended.stdout);
    }
    insta::assert_snapshot!("contract with drift", shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sort_of_drift() {
    let latest = "00000000-0000-4000-8000-000000000001";
    for (operation, body, code, found) in [
        (
            "get_project",
            json!({ "id": "a", "name": "b", "plan": { "price": 1 } }),
            1,
            "drift  $.plan: a member that the document does not have (documented)",
        ),
        (
            "get_project",
            json!({ "id": "a" }),
            1,
            "drift  $.name: is missing (documented)\n\
             drift  $: the client cannot decode the answer (documented)",
        ),
        (
            "get_run_status",
            json!({ "status": "passed", "passed": "45" }),
            1,
            "drift  $.passed: string where the document has unsigned integer (documented)",
        ),
        (
            "get_run_status_v2",
            json!({ "status": "in-review" }),
            1,
            "drift  $.status: a new value, in-review (documented)",
        ),
        (
            "get_run_status_v2",
            json!({ "status": "passed", "verdict": "perhaps" }),
            0,
            "note   $.verdict: a new value, perhaps (observed)",
        ),
        (
            "get_test_run_results",
            results(json!({ "tags": null })),
            1,
            "drift  $.tests[*].tags: null where the document has array (documented)",
        ),
        (
            "get_test_run_results",
            results(json!({ "status": "skipped" })),
            0,
            "note   $.tests[*].status: a new value, skipped (mentioned)",
        ),
        (
            "get_latest_test_run",
            json!(latest),
            0,
            "note   $: string where the document has object or null (mentioned)",
        ),
    ] {
        let mock = with_run().await;
        answers(&mock, operation, &body);
        let ended = verify(&mock, "");
        assert_eq!(ended.code, code, "{operation}: {ended:?}");
        assert_eq!(findings(&ended, operation).join("\n"), found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_place_of_json() {
    for (operation, code, sort) in [
        (
            "get_project",
            1,
            "drift  $: the answer is not JSON (documented)",
        ),
        (
            "get_test_run_report",
            0,
            "note   $: the answer is not JSON (mentioned)",
        ),
    ] {
        let mock = with_run().await;
        let page = Fault::answer("<html>Sign in</html>").header("content-type", "text/html");
        mock.fault(page.on(operation).always());
        let ended = verify(&mock, "");
        assert_eq!(ended.code, code, "{ended:?}");
        assert_eq!(findings(&ended, operation), [sort]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_it() {
    for status in [401, 403] {
        let mock = with_run().await;
        let before = mock.requests().len();
        mock.fault(Fault::status(status).on("get_test_run_results").always());
        let ended = verify(&mock, "");
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(ended.stderr.contains("check the API key"), "{ended:?}");
        let refused = format!("get_test_run_results: refused, status {status}\n");
        assert!(ended.stdout.contains(&refused), "{ended:?}");
        let skipped = "list_bugs: skipped, the service had refused before\n";
        assert!(ended.stdout.contains(skipped), "{ended:?}");
        assert_eq!(mock.requests().len() - before, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_does_not_know_is_skipped() {
    let mock = Mock::start().await.expect("a stand-in");
    let ended = checksum(&mock.url(), "contract verify").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    insta::assert_snapshot!("contract without a run", ended.stdout);

    // What was asked for by name is another matter, and so is a service that knows nothing.
    for arguments in ["--job nowhere", "--test-run nowhere"] {
        let ended = checksum(&mock.url(), &format!("contract verify {arguments}")).end();
        assert_eq!(ended.code, 2, "{ended:?}");
    }
    mock.fault(Fault::status(404).always());
    let ended = checksum(&mock.url(), "contract verify").end();
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_leaves_the_rest_to_be_read() {
    for (fault, code, said) in [
        (Fault::status(503).body("down"), 5, "failed, status 503"),
        (Fault::status(400), 2, "failed, status 400"),
        (Fault::reset_before(), 5, "failed, the connection broke"),
        (Fault::truncated(), 5, "failed, the connection broke"),
    ] {
        let mock = with_run().await;
        mock.fault(fault.on("get_project").always());
        let ended = verify(&mock, "");
        assert_eq!(ended.code, code, "{ended:?}");
        let line = format!("get_project: {said}\n");
        assert!(ended.stdout.contains(&line), "{ended:?}");
        assert!(ended.stdout.contains("7 answers compared"), "{ended:?}");
    }
    let mock = with_run().await;
    mock.fault(Fault::status(503).on("get_project").always());
    answers(&mock, "get_run_status", &json!({}));
    assert_eq!(verify(&mock, "").code, 1);
}

/// Every text that the service sends is a secret, in its names, its values and its errors.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_shown_or_saved() {
    let mock = with_run().await;
    let s = |part: &str| format!("s3cr3t-{part}");
    let address = "https://s3cr3t.example/s3cr3t?token=s3cr3t";
    let free = json!({ s("key"): s("value"), "s3cr3t@example.com": [address], "customer": "jane" });
    let status = json!({
        "status": s("status"), "verdict": "s3cr3t@example.com", "failureReason": s("reason"),
        "passed": s("passed"), "testRunId": s("run"), s("member"): free, "jane-doe@example.com": 1,
    });
    answers(
        &mock,
        "get_project",
        &json!({ "id": [s("id")], "name": { s("a"): s("b") }, "x": free }),
    );
    answers(
        &mock,
        "get_latest_test_run",
        &json!({ "id": s("run"), "branch": s("branch"), "y": free }),
    );
    let mut tests = results(json!({
        "checksumTestId": s("test"), "testTitle": s("title"), "testFilePath": address,
        "status": s("status"), "errorMessage": s("error"), "healthStatus": s("health"),
        "tags": [s("tag"), { s("tag"): 1 }], "metadata": free,
    }));
    tests["id"] = json!(s("run"));
    tests["branch"] = json!(s("branch"));
    answers(&mock, "get_test_run_results", &tests);
    answers(&mock, "get_test_run_report", &json!(address));
    answers(
        &mock,
        "get_test_attachments",
        &json!([address, { "url": address, s("name"): 1 }]),
    );
    let error = Fault::status(500).body(format!("{{\"message\": \"s3cr3t {KEY}\"}}"));
    mock.fault(
        error
            .header("x-request-id", "s3cr3t")
            .on("list_bugs")
            .always(),
    );
    answers(&mock, "get_run_status", &status);
    let typed = Fault::answer(status.to_string()).header("content-type", "s3cr3t/s3cr3t");
    mock.fault(typed.on("get_run_status_v2").always());

    let directory = tempfile::tempdir().expect("a directory");
    for form in ["human", "json", "ndjson"] {
        let path = directory.path().join(form);
        let ended = checksum(&mock.url(), "contract verify --job s3cr3t-job --save")
            .argument(&path)
            .argument("--output")
            .argument(form)
            .argument("-v")
            .end();
        assert_eq!(ended.code, 1, "{ended:?}");
        let saved = std::fs::read_to_string(&path).expect("a recording");
        for shown in [&ended.stdout, &ended.stderr, &saved] {
            for secret in [
                "s3cr3t",
                "jane",
                "customer",
                "example.com",
                KEY,
                "127.0.0.1",
            ] {
                assert!(!shown.contains(secret), "{secret}: {shown}");
            }
        }
        if form == "human" {
            insta::assert_snapshot!("contract private answers", ended.stdout);
            insta::assert_snapshot!("contract private recording", saved);
        }
    }

    // The texts of refusals are the service's as well.
    let refused = Mock::start().await.expect("a stand-in");
    refused.fault(Fault::status(401).body(format!("s3cr3t {KEY}")).always());
    let ended = checksum(&refused.url(), "contract verify").end();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(!(ended.stdout + &ended.stderr).contains("s3cr3t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_cannot_be_written_is_told() {
    let mock = with_run().await;
    let ended = verify(&mock, "--save /nowhere/recording.json");
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(
        ended.stderr.contains("cannot write the recording"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("get_project: no drift"), "{ended:?}");

    answers(&mock, "get_project", &json!({}));
    let ended = verify(&mock, "--save /nowhere/recording.json");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(!Path::new("/nowhere").exists());
}
