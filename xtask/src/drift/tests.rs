//! Services that lie in every way, and that nothing private is printed or saved.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::sync::LazyLock;

use checksum_api::types::TestRunId;
use checksum_api::{ApiKey, Client, OPENAPI_YAML, OPERATIONS, Operation, OperationId};
use serde_json::{Value, json};

use super::compare::compare;
use super::document::{Document, Provenance};
use super::recording::{Body, Exchange, Recording};
use super::*;

const KEY: &str = "s3cr3t-key-0123456789abcdef";

/// What a service sends in response to one operation.
#[derive(Clone)]
struct Lie {
    operation: OperationId,
    status: u16,
    content_type: &'static str,
    body: String,
}

fn lie(operation: OperationId, body: Value) -> Lie {
    Lie {
        operation,
        status: 200,
        content_type: "application/json",
        body: body.to_string(),
    }
}

static YAML: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(OPENAPI_YAML).expect("YAML"));

/// Every example of a success of an operation.
fn examples(document: &Value, operation: &Operation) -> Vec<Value> {
    let method = operation.method.to_lowercase();
    let responses = &document["paths"][operation.path][method.as_str()]["responses"];
    let mut examples = Vec::new();
    for (code, response) in responses.as_object().expect("responses") {
        let target = response["$ref"].as_str().and_then(|r| r.strip_prefix('#'));
        let response = target.map_or(response, |r| document.pointer(r).expect("a response"));
        let json = &response["content"]["application/json"]["examples"];
        if code.starts_with('2') {
            let values = json.as_object().expect("examples").values();
            examples.extend(values.map(|example| example["value"].clone()));
        }
    }
    examples
}

/// The example of an operation whose run has ended.
fn example(operation: OperationId) -> Value {
    let examples = examples(&YAML, operation.operation());
    let ended = examples
        .iter()
        .find(|example| example["status"] == "passed");
    ended.unwrap_or(&examples[0]).clone()
}

/// A client of a service that sends the document's examples, except where it lies.
fn service(lies: &[Lie]) -> Client {
    let lies = lies.to_vec();
    let send = move |request: reqwest::Request| {
        let path = request.url().path();
        let path = path.strip_prefix("/public-api").unwrap_or(path).to_owned();
        let mut operations = OPERATIONS.iter();
        let is_asked = |o: &&Operation| o.method == request.method() && o.matches(&path);
        let operation = operations.find(is_asked).expect("an operation");
        assert!(operation.is_read(), "{}", operation.id);
        let honest = || lie(operation.id, example(operation.id));
        let lie = lies.iter().find(|lie| lie.operation == operation.id);
        let lie = lie.cloned().unwrap_or_else(honest);
        let response = http::Response::builder()
            .status(lie.status)
            .header("content-type", lie.content_type)
            .header("x-request-id", "s3cr3t")
            .body(lie.body)
            .expect("a response");
        async move { Ok(reqwest::Response::from(response)) }
    };
    let builder = Client::builder(ApiKey::new(KEY).expect("a key"));
    let builder = builder.base_url("http://127.0.0.1:9".parse().expect("a URL"));
    builder.transport(send).build().expect("a client")
}

struct Verified {
    report: String,
    json: Value,
    recording: Recording,
    exit_code: u8,
}

impl Verified {
    /// The lines below the line of an operation.
    fn findings(&self, operation: OperationId) -> Vec<&str> {
        let mut lines = self.report.lines();
        let head = format!("{operation}: ");
        let found = lines.by_ref().find(|line| line.starts_with(&head));
        assert!(found.is_some(), "{operation}: {}", self.report);
        let own = lines.take_while(|line| line.starts_with("  "));
        own.map(str::trim).collect()
    }
}

fn verified(lies: &[Lie], test_run: Option<&str>) -> Verified {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    let job = Some("s3cr3t-job".parse().expect("a job name"));
    let test_run: Option<TestRunId> = test_run.map(|id| id.parse().expect("an id"));
    let client = service(lies);
    let (report, recording, exit_code) = runtime
        .block_on(read(&client, job, test_run))
        .expect("a report");
    Verified {
        json: report.to_json(exit_code),
        report: report.to_string(),
        recording,
        exit_code,
    }
}

/// An example with other fields; a field that is null here and not there is removed with `absent`.
fn with(operation: OperationId, pointer: &str, fields: Value) -> Value {
    let mut body = example(operation);
    let part = body.pointer_mut(pointer).expect("a part");
    let part = part.as_object_mut().expect("an object");
    for (name, value) in fields.as_object().expect("fields") {
        part.insert(name.clone(), value.clone());
    }
    body
}

fn without(operation: OperationId, pointer: &str, names: &[&str]) -> Value {
    let mut body = example(operation);
    let part = body.pointer_mut(pointer).expect("a part");
    let part = part.as_object_mut().expect("an object");
    for name in names {
        assert!(part.remove(*name).is_some(), "{name}");
    }
    body
}

#[test]
fn examples_of_the_document_have_no_drift() {
    let document = Document::parse(OPENAPI_YAML).expect("a document");
    for operation in OPERATIONS {
        let examples = examples(&YAML, operation);
        assert!(!examples.is_empty(), "{}", operation.id);
        let response = document.response(operation.id.as_str(), 202);
        let response = response.expect("an operation");
        for example in examples {
            let drifts = compare(&response, &example).expect("a valid schema");
            assert_eq!(drifts.into_drifts("x"), [], "{}: {example}", operation.id);
        }
    }
    let honest = verified(&[], None);
    assert_eq!(honest.exit_code, 0, "{}", honest.report);
    assert!(
        honest.report.ends_with("no drift; responses compared: 9\n"),
        "{}",
        honest.report
    );
}

#[test]
fn each_lie_is_a_drift_or_a_note() {
    use OperationId::{
        GetLatestTestRun as Latest, GetProject as Project, GetRunStatus as V1,
        GetRunStatusByRunId as ByRunId, GetRunStatusV2 as V2, GetTestAttachments as Attachments,
        GetTestRunReport as HtmlReport, GetTestRunResults as Results, ListBugs as Bugs,
    };
    let test = "/tests/0";
    for (operation, body, found) in [
        // Unknown fields.
        (
            Project,
            json!({ "id": "a", "name": "b", "plan": { "price": 1 } }),
            &["drift  $.plan: a field that the document does not have (documented)"][..],
        ),
        (
            Results,
            with(Results, test, json!({ "retries": 1 })),
            &["drift  $.tests[*].retries: a field that the document does not have (documented)"],
        ),
        (
            Latest,
            json!({ "id": "run-id", "number": 4 }),
            &["note   $.number: a field that the document does not have (mentioned)"],
        ),
        (
            ByRunId,
            with(ByRunId, "", json!({ "shards": [] })),
            &["note   $.shards: a field that the document does not have (observed)"],
        ),
        // Absent fields.
        (
            Project,
            json!({ "id": "a" }),
            &["drift  $.name: is missing (documented)"],
        ),
        (
            Results,
            without(
                Results,
                "",
                &["branch", "passed", "failed", "recovered", "bug"],
            ),
            &[
                "drift  $.branch: is missing (documented)",
                "drift  $.bug: is missing (documented)",
                "drift  $.failed: is missing (documented)",
                "drift  $.passed: is missing (documented)",
                "drift  $.recovered: is missing (documented)",
            ],
        ),
        (
            Results,
            without(
                Results,
                test,
                &[
                    "testTitle",
                    "testFilePath",
                    "errorMessage",
                    "healthStatus",
                    "tags",
                ],
            ),
            &[
                "drift  $.tests[*].errorMessage: is missing (documented)",
                "drift  $.tests[*].healthStatus: is missing (documented)",
                "drift  $.tests[*].tags: is missing (documented)",
                "drift  $.tests[*].testFilePath: is missing (documented)",
                "drift  $.tests[*].testTitle: is missing (documented)",
            ],
        ),
        (
            ByRunId,
            json!({ "status": "passed" }),
            &["note   $.isTerminal: is missing (observed)"],
        ),
        // The end of a run.
        (
            V2,
            json!({ "status": "passed" }),
            &[
                "drift  $.bug: is missing (documented)",
                "drift  $.failed: is missing (documented)",
                "drift  $.passed: is missing (documented)",
                "drift  $.recovered: is missing (documented)",
                "drift  $.testRunId: is missing (documented)",
            ],
        ),
        (
            V2,
            with(V2, "", json!({ "status": "failed", "isTerminal": true })),
            &[],
        ),
        (
            V1,
            json!({ "status": "healed", "passed": 1 }),
            &[
                "drift  $.bug: is missing (documented)",
                "drift  $.failed: is missing (documented)",
                "drift  $.recovered: is missing (documented)",
            ],
        ),
        (
            V1,
            json!({ "status": "cancelled", "passed": 1, "failed": 0 }),
            &[
                "note   $.bug: is missing (assumed)",
                "note   $.recovered: is missing (assumed)",
            ],
        ),
        (
            V2,
            json!({ "status": "process-error", "passed": 0, "failed": 0, "recovered": 0, "bug": 0 }),
            &["note   $.testRunId: is missing (assumed)"],
        ),
        (V1, json!({ "status": "queued" }), &[]),
        (V2, json!({ "status": "running", "isTerminal": false }), &[]),
        // Other types.
        (
            V1,
            with(V1, "", json!({ "passed": "45" })),
            &["drift  $.passed: string where the document has unsigned integer (documented)"],
        ),
        (
            V1,
            with(V1, "", json!({ "passed": -1, "failed": 0.5 })),
            &[
                "drift  $.failed: number where the document has unsigned integer (documented)",
                "drift  $.passed: negative integer where the document has unsigned integer (documented)",
            ],
        ),
        (
            Results,
            with(
                Results,
                test,
                json!({ "tags": null, "errorMessage": false }),
            ),
            &[
                "drift  $.tests[*].errorMessage: boolean where the document has string or null (documented)",
                "drift  $.tests[*].tags: null where the document has array (documented)",
            ],
        ),
        (
            Results,
            with(Results, "", json!({ "tests": null })),
            &["drift  $.tests: null where the document has array (documented)"],
        ),
        (
            Results,
            with(Results, "", json!({ "id": "" })),
            &["drift  $.id: empty string where the document has non-empty string (documented)"],
        ),
        (
            Results,
            with(Results, "", json!({ "id": ".." })),
            &["drift  $.id: a text that does not match the document's pattern (documented)"],
        ),
        (
            Project,
            json!([]),
            &["drift  $: array where the document has object (documented)"],
        ),
        (
            V1,
            with(V1, "", json!({ "isTerminal": "yes" })),
            &["note   $.isTerminal: string where the document has boolean (observed)"],
        ),
        (
            HtmlReport,
            json!(7),
            &["note   $: integer where the document has object or string (mentioned)"],
        ),
        (
            Attachments,
            json!({ "attachments": ["https://a.example", { "url": 1 }, 2] }),
            &[
                "note   $.attachments[*]: integer where the document has object or string (mentioned)",
                "note   $.attachments[*].url: integer where the document has string (mentioned)",
            ],
        ),
        (
            Latest,
            json!({ "data": { "testRun": { "id": 7 } } }),
            &[
                "note   $.data.testRun.id: integer where the document has non-empty string (mentioned)",
            ],
        ),
        // Values that are not among the known ones.
        (
            V2,
            json!({ "status": "in-review" }),
            &["drift  $.status: a new value, in-review (documented)"],
        ),
        (
            V2,
            json!({ "status": "PASSED" }),
            &["drift  $.status: a new value, PASSED (documented)"],
        ),
        (
            V2,
            json!({ "status": "s3cr3t-1" }),
            &["drift  $.status: a value that is not among the known ones (documented)"],
        ),
        (
            V2,
            with(V2, "", json!({ "verdict": "perhaps" })),
            &["note   $.verdict: a new value, perhaps (observed)"],
        ),
        (
            Results,
            with(
                Results,
                test,
                json!({ "status": "skipped", "healthStatus": "ok" }),
            ),
            &[
                "note   $.tests[*].healthStatus: a new value, ok (mentioned)",
                "note   $.tests[*].status: a new value, skipped (mentioned)",
            ],
        ),
        (
            Bugs,
            json!([{ "severity": "blocker" }, { "severity": "blocker" }]),
            &["note   $[*].severity: a new value, blocker (mentioned, 2 times)"],
        ),
    ] {
        let verified = verified(&[lie(operation, body.clone())], None);
        let findings: Vec<&str> = verified
            .findings(operation)
            .into_iter()
            .filter(|line| !line.contains("cannot decode"))
            .collect();
        assert_eq!(findings, found, "{operation}: {body}");
        let has_drift = found.iter().any(|line| line.starts_with("drift"));
        assert_eq!(
            verified.exit_code,
            u8::from(has_drift),
            "{}",
            verified.report
        );
        assert_eq!(verified.json["exitCode"], verified.exit_code);
        // What was found is found again in the recording, but for patterns.
        let document = Document::parse(OPENAPI_YAML).expect("a document");
        let saved = serde_json::to_string(&verified.recording).expect("JSON");
        let loaded: Recording = serde_json::from_str(&saved).expect("a recording");
        let exchange = loaded
            .exchanges
            .iter()
            .find(|e| e.operation == operation.as_str());
        let replayed = exchange
            .expect("recorded")
            .replay(&document)
            .expect("drifts");
        let line = |drift: &Drift| drift.to_string().replace(", 2 times", "");
        let replayed: Vec<String> = replayed.iter().map(line).collect();
        let expected = found.iter().map(|line| line[7..].replace(", 2 times", ""));
        let expected: Vec<String> = expected.filter(|line| !line.contains("pattern")).collect();
        assert_eq!(replayed, expected, "{saved}");
    }
}

#[test]
fn provenance_decides_between_a_drift_and_a_note() {
    for provenance in ["documented", "mentioned", "observed", "assumed"] {
        let document = format!(
            r##"{{ "paths": {{ "/a": {{ "get": {{ "operationId": "a", "responses": {{ "200": {{
                "content": {{ "application/json": {{ "schema": {{ "$ref": "#/components/schemas/A" }} }} }}
            }} }} }} }} }}, "components": {{ "schemas": {{
                "A": {{ "type": "object", "x-provenance": "{provenance}", "required": ["b"],
                    "properties": {{ "b": {{ "type": "boolean" }}, "c": {{ "allOf": [{{ "$ref": "#/components/schemas/C" }}] }} }} }},
                "C": {{ "type": "string", "anyOf": [{{ "type": "string", "enum": ["x"] }}, {{ "type": "string" }}] }}
            }} }} }}"##
        );
        let document = Document::parse(&document).expect("a document");
        for body in [
            json!({}),
            json!({ "b": 1 }),
            json!({ "b": true, "d": 1 }),
            json!({ "b": true, "c": "y" }),
            json!(1),
        ] {
            let (_, drifts) = Exchange::of(&document, "a", 200, None, Some(&body)).expect("drifts");
            let [drift] = &drifts[..] else {
                panic!("{body}: {drifts:?}")
            };
            assert_eq!(drift.provenance.to_string(), provenance, "{body}");
            assert_eq!(drift.is_failure(), provenance == "documented", "{body}");
        }
    }
}

#[test]
fn all_of_several_parts_is_one_closed_object() {
    let schema = json!({ "allOf": [
        { "$ref": "#/components/schemas/A" },
        { "type": "object", "x-provenance": "observed", "required": ["c"],
          "properties": { "c": { "type": "integer" } } },
    ] });
    let document = json!({
        "paths": { "/a": { "get": { "operationId": "a", "responses": { "200": {
            "content": { "application/json": { "schema": schema } },
        } } } } },
        "components": { "schemas": { "A": {
            "type": "object", "required": ["b"], "properties": { "b": { "type": "string" } },
        } } },
    });
    let document = Document::parse(&document.to_string()).expect("a document");
    let lines = |body: Value| -> Vec<String> {
        let (_, drifts) = Exchange::of(&document, "a", 200, None, Some(&body)).expect("drifts");
        drifts.iter().map(ToString::to_string).collect()
    };
    assert_eq!(lines(json!({ "b": "x", "c": 1 })), [""; 0]);
    assert_eq!(
        lines(json!({ "d": 1 })),
        [
            "$.b: is missing (documented)",
            "$.c: is missing (observed)",
            "$.d: a field that the document does not have (documented)",
        ]
    );
}

#[test]
fn bodies_and_status_codes_that_the_document_does_not_list() {
    let html = |operation| Lie {
        content_type: "text/html",
        body: "<html>s3cr3t</html>".to_owned(),
        ..lie(operation, Value::Null)
    };
    let project = verified(&[html(OperationId::GetProject)], None);
    assert_eq!(project.exit_code, 1);
    let found = ["drift  $: the response is not JSON (documented)"];
    assert_eq!(project.findings(OperationId::GetProject), found);
    let report = verified(&[html(OperationId::GetTestRunReport)], None);
    assert_eq!(report.exit_code, 0);
    let found = ["note   $: the response is not JSON (mentioned)"];
    assert_eq!(report.findings(OperationId::GetTestRunReport), found);

    let text = Lie {
        content_type: "text/plain; charset=utf-8",
        body: "https://s3cr3t.example/".to_owned(),
        ..lie(OperationId::GetTestRunReport, Value::Null)
    };
    let text = verified(&[text], None);
    assert_eq!(text.findings(OperationId::GetTestRunReport), [""; 0]);

    let created = Lie {
        status: 201,
        ..lie(OperationId::GetProject, example(OperationId::GetProject))
    };
    let created = verified(&[created], None);
    assert_eq!(created.exit_code, 0);
    let found = ["note   $: the document does not list this status code (assumed)"];
    assert_eq!(created.findings(OperationId::GetProject), found);
}

#[test]
fn a_rejected_key_ends_the_requests() {
    for status in [401, 403] {
        let rejected = Lie {
            status,
            ..lie(
                OperationId::GetTestRunResults,
                json!({ "message": "s3cr3t" }),
            )
        };
        let verified = verified(&[rejected], None);
        assert_eq!(verified.exit_code, 4);
        let line = format!("get_test_run_results: not compared, status {status}\n");
        assert!(verified.report.contains(&line), "{}", verified.report);
        let line = "list_bugs: skipped, the service rejected the key before\n";
        assert!(verified.report.contains(line), "{}", verified.report);
    }
}

#[test]
fn what_the_service_does_not_know_is_skipped() {
    let unknown = |operation| Lie {
        status: 404,
        ..lie(operation, json!({ "message": "s3cr3t" }))
    };
    let observed = verified(&[unknown(OperationId::GetRunStatusByRunId)], None);
    assert_eq!(observed.exit_code, 0, "{}", observed.report);
    let line = "get_run_status_by_run_id: not compared, the service does not know it (404)\n";
    assert!(observed.report.contains(line), "{}", observed.report);
    let none = verified(&[unknown(OperationId::GetLatestTestRun)], None);
    assert_eq!(none.exit_code, 0, "{}", none.report);
    let line = "get_test_run_results: skipped, no test run id is known\n";
    assert!(none.report.contains(line), "{}", none.report);

    // What an option names has to exist.
    let statuses = [OperationId::GetRunStatus, OperationId::GetRunStatusV2].map(unknown);
    assert_eq!(verified(&statuses, None).exit_code, 2);
    assert_eq!(verified(&statuses[..1], None).exit_code, 0);
    let runs = [
        OperationId::GetTestRunResults,
        OperationId::GetTestRunReport,
    ]
    .map(unknown);
    assert_eq!(verified(&runs, Some("run-id")).exit_code, 2);
    assert_eq!(verified(&runs, None).exit_code, 0);
    let all: Vec<Lie> = OperationId::ALL.iter().copied().map(unknown).collect();
    assert_eq!(verified(&all, None).exit_code, 2);
}

#[test]
fn a_failure_leaves_the_rest_to_be_read() {
    for (status, exit_code) in [(500, 5), (503, 5), (429, 5), (400, 2), (422, 2)] {
        let failed = Lie {
            status,
            ..lie(OperationId::GetProject, json!({ "message": "s3cr3t" }))
        };
        let lies = [
            failed,
            lie(OperationId::GetRunStatus, json!({ "status": 1 })),
        ];
        let verified_alone = verified(&lies[..1], None);
        assert_eq!(
            verified_alone.exit_code, exit_code,
            "{}",
            verified_alone.report
        );
        let line = format!("get_project: not compared, status {status}\n");
        assert!(
            verified_alone.report.contains(&line),
            "{}",
            verified_alone.report
        );
        assert!(verified_alone.report.contains("; responses compared: 8\n"));
        assert_eq!(verified(&lies, None).exit_code, 1);
    }
}

/// Every text that the service sends is a secret: in names, values and errors.
#[test]
fn nothing_private_is_printed_or_saved() {
    let s = |part: &str| format!("s3cr3t-{part}");
    let url = "https://s3cr3t.example/s3cr3t?token=s3cr3t";
    let free =
        json!({ s("key"): s("value"), "s3cr3t@example.com": [url, 4711], "customer": "jane" });
    let status = json!({
        "status": s("status"), "verdict": "s3cr3t@example.com", "failureReason": s("reason"),
        "passed": s("passed"), "failed": 4711, "recovered": -4711, "testRunId": s("run"),
        s("field"): free, "jane-doe@example.com": 1, KEY: 1,
    });
    let mut results = with(
        OperationId::GetTestRunResults,
        "/tests/0",
        json!({
            "checksumTestId": s("test"), "testTitle": s("title"), "testFilePath": url,
            "status": s("status"), "errorMessage": s("error"), "healthStatus": s("health"),
            "tags": [s("tag"), { s("tag"): 1 }], "metadata": free,
        }),
    );
    results["id"] = json!(s("run"));
    results["branch"] = json!(s("branch"));
    let bugs = Lie {
        status: 500,
        ..lie(
            OperationId::ListBugs,
            json!({ "message": format!("s3cr3t {KEY}") }),
        )
    };
    let v2 = Lie {
        content_type: "s3cr3t/s3cr3t",
        ..lie(OperationId::GetRunStatusV2, status.clone())
    };
    let latest = json!({ "id": s("run"), "branch": s("branch"), "y": free });
    let project = json!({ "id": [s("id")], "name": { s("a"): s("b") }, "x": free });
    let verified = verified(
        &[
            lie(OperationId::GetProject, project),
            lie(OperationId::GetLatestTestRun, latest),
            lie(OperationId::GetTestRunResults, results),
            lie(OperationId::GetTestRunReport, json!(url)),
            lie(
                OperationId::GetTestAttachments,
                json!([url, { "url": url, s("name"): 1 }]),
            ),
            lie(OperationId::GetRunStatus, status.clone()),
            lie(OperationId::GetRunStatusByRunId, status),
            v2,
            bugs,
        ],
        None,
    );
    assert_eq!(verified.exit_code, 1);
    let saved = serde_json::to_string_pretty(&verified.recording).expect("JSON");
    for shown in [&verified.report, &verified.json.to_string(), &saved] {
        for secret in [
            "s3cr3t", "jane", "customer", "example", "4711", "token", KEY,
        ] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    let recorded = |id: &str| {
        let exchanges = verified.recording.exchanges.iter();
        let mut exchanges = exchanges.filter(|exchange| exchange.operation == id);
        exchanges.next().expect("recorded").clone()
    };
    assert_eq!(recorded("list_bugs").body, Body::Withheld);
    let v2 = recorded("get_run_status_v2");
    assert_eq!(v2.content_type.as_deref(), Some("other"));
    let expected = json!({
        "status": "(not shown)", "verdict": "(not shown)", "failureReason": "string",
        "passed": "string", "failed": 1, "recovered": -1, "testRunId": "string",
        "(key 1)": { "(key 1)": "string", "(key 2)": ["string", 1] }, "(key 2)": 1,
    });
    let Body::Json(body) = &v2.body else {
        panic!("{v2:?}")
    };
    assert_eq!(body["status"], expected["status"]);
    assert_eq!(body["failed"], 1);
    assert_eq!(body["recovered"], -1);
}

#[test]
fn a_recording_of_many_elements_is_small_and_finds_the_same() {
    let plain = |n: u32| json!({ "n": n });
    let mut body = example(OperationId::GetTestRunResults);
    let test = body["tests"][0].clone();
    let tests = body["tests"].as_array_mut().expect("tests");
    *tests = (0..1_000).map(|_| test.clone()).collect();
    tests.push(json!(plain(1)));
    tests[700]["tags"] = json!("s3cr3t");
    let document = Document::parse(OPENAPI_YAML).expect("a document");
    let (exchange, found) =
        Exchange::of(&document, "get_test_run_results", 200, None, Some(&body)).expect("drifts");
    assert!(serde_json::to_string(&exchange).expect("JSON").len() < 2_000);
    let kinds = |drifts: Vec<Drift>| -> BTreeSet<String> {
        drifts
            .iter()
            .map(|drift| format!("{} {}", drift.path, drift.kind))
            .collect()
    };
    assert!(found.len() > 7, "{found:?}");
    let replayed = exchange.replay(&document).expect("drifts");
    assert_eq!(kinds(replayed), kinds(found));
}

#[test]
fn a_recording_is_a_file_that_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recording.json");
    let mut stdout = Vec::new();
    let mut save = |body: Value| {
        let recording = verified(&[lie(OperationId::GetProject, body)], None).recording;
        fs::write(&path, serde_json::to_string(&recording).expect("JSON")).expect("written");
        assert_eq!(Recording::load(&path).expect("a recording"), recording);
        stdout.clear();
        let code = replay(&path, Output::Text, &mut stdout).expect("a report");
        (code, String::from_utf8(stdout.clone()).expect("text"))
    };
    let honest = save(json!({ "id": "a", "name": "b" }));
    assert_eq!(honest, (0, "no drift; responses recorded: 9\n".to_owned()));
    let (code, report) = save(json!({ "id": "a" }));
    assert_eq!(code, 1);
    let expected = "drift  get_project: $.name: is missing (documented)\n\
                    drifts: 1, notes: 0; responses recorded: 9\n";
    assert_eq!(report, expected);

    for (text, error) in [
        ("<html>", "this is not a recording"),
        ("{}", "its format is not `checksum-contract-recording`"),
        (
            r#"{"format":"checksum-contract-recording","version":2}"#,
            "has version 2, and this program reads version 1",
        ),
        (
            r#"{"format":"checksum-contract-recording","version":1}"#,
            "this is not a recording",
        ),
        (&"[".repeat(100_000), "this is not a recording"),
    ] {
        fs::write(&path, text).expect("written");
        let found = Recording::load(&path).expect_err("an error");
        assert!(format!("{found:#}").contains(error), "{found:#}");
    }
}

#[test]
fn an_operation_that_the_document_lost_is_a_drift() {
    let document = Document::parse("paths: {}").expect("a document");
    let (_, drifts) = Exchange::of(&document, "a", 200, None, None).expect("drifts");
    assert_eq!(drifts[0].provenance, Provenance::Documented);
    let expected = "$: the document does not have this operation (documented)";
    assert_eq!(drifts[0].to_string(), expected);
}

#[test]
fn the_key_and_the_base_url_come_from_options_and_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    let of = |arguments: &Arguments, variables: &[(&str, &str)]| {
        let variable = |name: &str| {
            let mut known = variables.iter();
            known
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        let mut secrets = Redactor::new();
        let client = client(arguments, variable, &mut secrets);
        let error = client.err().map(|error| format!("{error:#}"));
        (error, secrets.redact(KEY).into_owned())
    };
    let default = Arguments::default();
    let key = ("CHECKSUM_API_KEY", KEY);
    assert_eq!(of(&default, &[key]), (None, "***".to_owned()));
    let error = |arguments: &Arguments, variables: &[(&str, &str)]| {
        of(arguments, variables).0.expect("an error")
    };
    assert_eq!(error(&default, &[]), "no API key: set CHECKSUM_API_KEY");
    assert!(error(&default, &[("CHECKSUM_API_KEY", "a b")]).starts_with("CHECKSUM_API_KEY: "));
    let exposed = [key, ("CHECKSUM_API_BASE_URL", "http://10.0.0.1")];
    assert!(error(&default, &exposed).contains("http"));
    let local = Arguments {
        base_url: Some("http://127.0.0.1:9".to_owned()),
        ..Arguments::default()
    };
    assert_eq!(of(&local, &exposed).0, None);
    let from_file = Arguments {
        api_key_file: Some(file.clone()),
        ..Arguments::default()
    };
    assert!(error(&from_file, &[key]).contains("key"));
    fs::write(&file, format!("{KEY}\n")).expect("written");
    assert_eq!(of(&from_file, &[]), (None, "***".to_owned()));
    fs::write(&file, "k".repeat(20_000)).expect("written");
    assert!(error(&from_file, &[]).contains("too large"));
}

/// A mock server over a socket: a key that is echoed is redacted, and a file that cannot be written
/// is an error.
#[test]
fn the_whole_command_against_a_mock_server() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mock = runtime
        .block_on(checksum_mock::Mock::start())
        .expect("a mock server");
    let echo = json!({ "id": "a", "name": "b", "abcdefgh": 1 }).to_string();
    let echo = checksum_mock::Fault::respond_with(echo).header("content-type", "application/json");
    mock.fault(echo.on_operation("get_project").always());
    let folder = tempfile::tempdir().expect("a folder");
    let execute = |path: PathBuf, output| {
        let arguments = Arguments {
            base_url: Some(mock.url()),
            save: Some(path),
            output,
            ..Arguments::default()
        };
        let mut stdout = Vec::new();
        let code = verify(arguments, |_| Some("abcdefgh".into()), &mut stdout).expect("a report");
        (code, String::from_utf8(stdout).expect("text"))
    };
    for output in [Output::Text, Output::Json] {
        let path = folder.path().join("recording.json");
        let (code, shown) = execute(path.clone(), output);
        assert_eq!(code, 1, "{shown}");
        let saved = fs::read_to_string(path).expect("a recording");
        for text in [shown, saved] {
            assert!(!text.contains("abcdefgh") && text.contains("***"), "{text}");
        }
    }
    let unwritable = folder.path().join("none").join("recording.json");
    assert_eq!(execute(unwritable.clone(), Output::Text).0, 1);
    let honest = runtime
        .block_on(checksum_mock::Mock::start())
        .expect("a mock server");
    let arguments = Arguments {
        base_url: Some(honest.url()),
        save: Some(unwritable),
        ..Arguments::default()
    };
    let key = |name: &str| (name == "CHECKSUM_API_KEY").then(|| KEY.into());
    let mut stdout = Vec::new();
    let code = verify(arguments, key, &mut stdout).expect("a report");
    assert_eq!(code, 10, "{}", String::from_utf8_lossy(&stdout));
}
