//! A service with responses that are not as documented, and that nothing private is printed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use checksum_api::{OPERATIONS, Operation};
use checksum_mock::{Fault, Mock};
use serde_json::{Value, json};

use super::compare::{Drifts, compare};
use super::*;

const KEY: &str = "s3cr3t-key-0123456789abcdef";

/// A line names an operation, a part of its response (`.` for all of it) and what stands there
/// instead (`-` for nothing). Below it is what is reported.
const CASES: &str = r#"
get_project /plan {"price": 1}
  drift  $.plan: a field that the document does not have (documented)
get_test_run_results /tests/0/retries 1
  drift  $.tests[*].retries: a field that the document does not have (documented)
get_latest_test_run . {"id": "run-id", "number": 4}
  note   $.number: a field that the document does not have (mentioned)
get_run_status_by_run_id /shards []
  note   $.shards: a field that the document does not have (observed)
get_project . {}
  drift  $.id: is missing (documented)
  drift  $.name: is missing (documented)
get_test_run_results /tests/0/errorMessage -
  drift  $.tests[*].errorMessage: is missing (documented)
get_run_status_by_run_id . {"status": "passed"}
  note   $.isTerminal: is missing (observed)
get_run_status_v2 . {"status": "passed"}
  drift  $.bug: is missing (documented)
  drift  $.failed: is missing (documented)
  drift  $.passed: is missing (documented)
  drift  $.recovered: is missing (documented)
  drift  $.testRunId: is missing (documented)
get_run_status . {"status": "healed", "passed": 1}
  drift  $.bug: is missing (documented)
  drift  $.failed: is missing (documented)
  drift  $.recovered: is missing (documented)
get_run_status . {"status": "failed", "passed": 1, "failed": 1, "recovered": 0}
  drift  $.bug: is missing (documented)
get_run_status . {"status": "cancelled", "passed": 1, "failed": 0}
  note   $.bug: is missing (assumed)
  note   $.recovered: is missing (assumed)
get_run_status_v2 . {"status": "process-error", "passed": 0, "failed": 0, "recovered": 0, "bug": 0}
  note   $.testRunId: is missing (assumed)
get_run_status . {"status": "queued"}
get_run_status_v2 . {"status": "running", "isTerminal": false}
get_run_status /passed "45"
  drift  $.passed: string where the document has integer (documented)
get_run_status /passed 0.5
  drift  $.passed: number where the document has integer (documented)
get_run_status /passed -1
  drift  $.passed: violates the document's `minimum` (documented)
get_test_run_results /tests/0/errorMessage false
  drift  $.tests[*].errorMessage: boolean where the document has null or string (documented)
get_test_run_results /tests/0/tags null
  drift  $.tests[*].tags: null where the document has array (documented)
get_test_run_results /tests null
  drift  $.tests: null where the document has array (documented)
get_test_run_results /id ""
  drift  $.id: violates the document's `minLength` (documented)
  drift  $.id: violates the document's `pattern` (documented)
get_test_run_results /id ".."
  drift  $.id: violates the document's `pattern` (documented)
get_project . []
  drift  $: array where the document has object (documented)
get_run_status /isTerminal "yes"
  note   $.isTerminal: string where the document has boolean (observed)
get_test_run_report . 7
  note   $: integer where the document has object or string (mentioned)
get_test_attachments . {"attachments": ["https://a.example", {"url": 1}, 2]}
  note   $.attachments[*]: integer where the document has object or string (mentioned)
  note   $.attachments[*].url: integer where the document has string (mentioned)
get_latest_test_run . {"data": {"testRun": {"id": 7}}}
  note   $.data.testRun.id: integer where the document has string (mentioned)
get_run_status_v2 . {"status": "in-review"}
  drift  $.status: a new value, in-review (documented)
get_run_status_v2 . {"status": "PASSED"}
  drift  $.status: a new value, PASSED (documented)
get_run_status_v2 . {"status": "s3cr3t-1"}
  drift  $.status: a value that is not among the known ones (documented)
get_run_status_v2 /verdict "perhaps"
  note   $.verdict: a new value, perhaps (observed)
get_test_run_results /tests/0/status "skipped"
  note   $.tests[*].status: a new value, skipped (mentioned)
get_test_run_results /tests/0/healthStatus "ok"
  note   $.tests[*].healthStatus: a new value, ok (mentioned)
list_bugs . [{"severity": "blocker"}, {"severity": "blocker"}]
  note   $[*].severity: a new value, blocker (mentioned), 2 times
"#;

/// What the service sends in response to an operation.
#[derive(Clone)]
struct Response {
    status: u16,
    content_type: &'static str,
    body: String,
}

type Responses = BTreeMap<OperationId, Response>;

fn response(status: u16, body: &Value) -> Response {
    Response {
        status,
        content_type: "application/json",
        body: body.to_string(),
    }
}

fn id(operation: &str) -> OperationId {
    Operation::find(operation).expect("an operation").id
}

/// Each example of a success, with its status code.
static EXAMPLES: LazyLock<Vec<(OperationId, u16, Value)>> = LazyLock::new(|| {
    let document = Document::current().expect("the document");
    let mut all = Vec::new();
    for operation in document.operations() {
        let successes = operation.responses();
        for (code, response) in successes.filter(|(code, _)| code.starts_with('2')) {
            let content = &document.resolve(response)["content"]["application/json"];
            let examples = content["examples"].as_object().expect("examples");
            let status = code.parse().expect("a status code");
            let values = examples.values().map(|example| example["value"].clone());
            all.extend(values.map(|value| (id(operation.id()), status, value)));
        }
    }
    all
});

/// Returns the example of an operation, of a run that has passed if it has one.
fn example(id: OperationId) -> Value {
    let own = EXAMPLES.iter().filter(|(operation, ..)| *operation == id);
    let own = own.map(|(.., value)| value);
    let best = own.min_by_key(|example| example["status"] != "passed");
    best.expect("an example").clone()
}

/// Returns the report and the exit code for a service that sends examples of the document, but for
/// these responses. It fails if a request is sent that does more than read.
fn verified(responses: &Responses, test_run: Option<&str>) -> (String, u8) {
    let responses = responses.clone();
    let send = move |request: reqwest::Request| {
        let path = request.url().path();
        let path = path.strip_prefix("/public-api").unwrap_or(path);
        let is_sent = |o: &&Operation| o.method == request.method() && o.matches(path);
        let operation = OPERATIONS.iter().find(is_sent).expect("an operation");
        assert!(operation.is_read(), "{}", operation.id);
        let response = responses.get(&operation.id).cloned();
        let response = response.unwrap_or_else(|| self::response(200, &example(operation.id)));
        let response = http::Response::builder()
            .status(response.status)
            .header("content-type", response.content_type)
            .header("x-request-id", "s3cr3t")
            .body(response.body)
            .expect("a response");
        async move { Ok(reqwest::Response::from(response)) }
    };
    let client = Client::builder(ApiKey::new(KEY).expect("a key"))
        .base_url("http://127.0.0.1:9".parse().expect("a URL"))
        .transport(send)
        .build()
        .expect("a client");
    let arguments = Arguments {
        job: Some("s3cr3t-job".parse().expect("a job name")),
        test_run: test_run.map(|id| id.parse().expect("an id")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let report = runtime
        .expect("a runtime")
        .block_on(read(client, arguments));
    let (report, exit_code) = report.expect("a report");
    (report.to_string(), exit_code)
}

/// Returns the lines below the line of an operation.
fn findings(report: &str, id: OperationId) -> Vec<&str> {
    let mut lines = report.lines();
    let head = format!("{id}: ");
    assert!(lines.any(|line| line.starts_with(&head)), "{id}: {report}");
    lines.take_while(|line| line.starts_with("  ")).collect()
}

#[test]
fn each_difference_is_reported_and_only_documented_ones_fail() {
    let mut lines = CASES.trim().lines().peekable();
    while let Some(line) = lines.next() {
        let [operation, pointer, value] = *line.splitn(3, ' ').collect::<Vec<_>>() else {
            panic!("{line}");
        };
        let id = id(operation);
        let mut body = example(id);
        match pointer.rsplit_once('/') {
            None => body = value.parse().expect("JSON"),
            Some((parent, name)) => {
                let parent = body.pointer_mut(parent).expect("a part");
                let parent = parent.as_object_mut().expect("an object");
                match value {
                    "-" => drop(parent.remove(name).expect("a field")),
                    value => drop(parent.insert(name.to_owned(), value.parse().expect("JSON"))),
                }
            }
        }
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            expected.push(line);
        }
        let (report, exit_code) = verified(&[(id, response(200, &body))].into(), None);
        let mut found = findings(&report, id);
        found.retain(|line| !line.contains("cannot decode"));
        assert_eq!(found, expected, "{line}");
        let has_drift = expected.iter().any(|line| line.starts_with("  drift"));
        assert_eq!(exit_code, u8::from(has_drift), "{report}");
    }
}

/// Negative control, for every field of every example: the comparison must find a field that the
/// document does not have, a value of another type, and that a required field is missing.
#[test]
fn every_change_of_an_example_is_found() {
    let document = Document::current().expect("the document");
    let schemas = Schemas::of(&document).expect("schemas");
    let mut missing = 0;
    for (id, status, example) in EXAMPLES.iter() {
        let expected = schemas.expected(*id, *status).expect("a response");
        let drifts = |body: &Value| compare(&expected, body);
        assert_eq!(drifts(example), Drifts::new(), "{id}: {example}");
        for pointer in pointers(example) {
            let changed = |change: &dyn Fn(&mut Value)| {
                let mut body = example.clone();
                change(body.pointer_mut(&pointer).expect("a part"));
                drifts(&body)
            };
            let is_object = example.pointer(&pointer).expect("a part").is_object();
            let other_type = changed(&|part| {
                *part = if part.is_boolean() {
                    json!(0)
                } else {
                    json!(true)
                }
            });
            assert!(!other_type.is_empty(), "{id} {pointer}");
            if is_object {
                let unknown = changed(&|part| part["unknown"] = json!(1));
                let lines: Vec<String> = unknown.keys().map(ToString::to_string).collect();
                assert!(
                    lines.len() == 1 && lines[0].contains("unknown: a field"),
                    "{lines:?}"
                );
            } else if let Some((parent, name)) = pointer.rsplit_once('/') {
                let mut body = example.clone();
                let parent = body.pointer_mut(parent).expect("a part");
                if let Some(parent) = parent.as_object_mut() {
                    parent.remove(name);
                    missing += usize::from(!drifts(&body).is_empty());
                }
            }
        }
    }
    assert!(missing > 50, "{missing}");
}

/// Returns a JSON pointer to each part of a value.
fn pointers(value: &Value) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (name.clone(), value));
    let elements = value.as_array().into_iter().flatten().enumerate();
    let parts = fields.chain(elements.map(|(index, value)| (index.to_string(), value)));
    let inner = parts.flat_map(|(name, value)| {
        pointers(value)
            .into_iter()
            .map(move |pointer| format!("/{name}{pointer}"))
    });
    [String::new()].into_iter().chain(inner).collect()
}

#[test]
fn an_honest_service_has_no_drift() {
    let (report, exit_code) = verified(&Responses::new(), None);
    assert_eq!(exit_code, 0, "{report}");
    let not_read = report.lines().filter(|line| !line.ends_with(": no drift"));
    let expected = [
        "find_affected_tests: skipped, it needs a list of files",
        "get_heal_batch: skipped, no batch id is known",
        "get_generation_batch: skipped, no batch id is known",
        "no drift; responses compared: 9",
    ];
    assert_eq!(not_read.collect::<Vec<_>>(), expected);
}

#[test]
fn provenance_is_that_of_the_nearest_part_which_has_one() {
    let document = |response: &str, schema: &str, field: &str| {
        let mark = |word: &str| match word {
            "" => String::new(),
            word => format!(r#""x-provenance": "{word}","#),
        };
        let (response, schema, field) = (mark(response), mark(schema), mark(field));
        let status = r##"{ "properties": { "status": {} } }"##;
        Document::parse(format!(
            r##"{{ "paths": {{ "/v1/me": {{ "get": {{ "operationId": "get_project", "responses": {{
                "200": {{ {response} "content": {{ "application/json": {{ "schema":
                    {{ "$ref": "#/components/schemas/A" }} }} }} }} }} }} }} }},
              "components": {{ "schemas": {{ "RunStatus": {status}, "RunStatusV2": {status},
                "A": {{ {schema} "type": "object", "required": ["b"], "properties": {{
                    "b": {{ {field} "allOf": [{{ "$ref": "#/components/schemas/B" }}] }} }} }},
                "B": {{ "type": "string", "anyOf": [
                    {{ "type": "string", "enum": ["x"] }}, {{ "type": "string" }}] }} }} }} }}"##
        ))
        .expect("a document")
    };
    for (response, schema, field, whole, part) in [
        ("", "", "", "documented", "documented"),
        ("assumed", "", "", "assumed", "assumed"),
        ("assumed", "observed", "", "observed", "observed"),
        ("assumed", "documented", "", "documented", "documented"),
        ("", "", "mentioned", "documented", "mentioned"),
        ("", "observed", "mentioned", "observed", "mentioned"),
        ("", "a typing error", "", "a typing error", "a typing error"),
    ] {
        let document = document(response, schema, field);
        let schemas = Schemas::of(&document).expect("schemas");
        let expected = schemas
            .expected(OperationId::GetProject, 200)
            .expect("a response");
        for (body, provenance) in [
            (json!(1), whole),
            (json!({ "b": "x", "c": 1 }), whole),
            (json!({}), part),
            (json!({ "b": 1 }), part),
            (json!({ "b": "y" }), part),
        ] {
            let drifts = compare(&expected, &body);
            let [drift] = *drifts.keys().collect::<Vec<_>>() else {
                panic!("{body}: {drifts:?}")
            };
            let line = drift.to_string();
            assert!(line.ends_with(&format!("({provenance})")), "{body}: {line}");
            let is_note = ["mentioned", "observed", "assumed"].contains(&provenance);
            assert_eq!(drift.is_failure(), !is_note, "{body}: {line}");
        }
    }
}

#[test]
fn bodies_and_status_codes_that_the_document_does_not_list() {
    let project = example(OperationId::GetProject).to_string();
    let not_json = "the response is not JSON";
    for (operation, status, content_type, body, exit_code, expected) in [
        (
            "get_project",
            200,
            "text/html",
            "<html>s3cr3t",
            1,
            format!("  drift  $: {not_json} (documented)"),
        ),
        (
            "get_project",
            200,
            "text/plain",
            "s3cr3t",
            1,
            format!("  drift  $: {not_json} (documented)"),
        ),
        (
            "get_test_run_report",
            200,
            "text/html",
            "<html>s3cr3t",
            0,
            format!("  note   $: {not_json} (mentioned)"),
        ),
        (
            "get_test_run_report",
            200,
            "text/plain; charset=utf-8",
            "https://s3cr3t.example/",
            0,
            String::new(),
        ),
        (
            "get_project",
            201,
            "application/json",
            &project,
            0,
            "  note   $: the document does not list this status code (assumed)".to_owned(),
        ),
    ] {
        let id = id(operation);
        let body = body.to_owned();
        let response = Response {
            status,
            content_type,
            body,
        };
        let (report, code) = verified(&[(id, response)].into(), None);
        assert_eq!(code, exit_code, "{report}");
        assert_eq!(findings(&report, id).join("\n"), expected);
    }
}

#[test]
fn requests_without_success() {
    use OperationId::*;
    let statuses = [GetRunStatus, GetRunStatusV2];
    let run = [GetTestRunResults, GetTestRunReport];
    let message = json!({ "message": "s3cr3t" });
    // The status code, of which operations; the id of a test run; the exit code, and a line.
    for (status, ids, test_run, exit_code, line) in [
        // A rejected key ends the requests.
        (
            401,
            &[GetTestRunResults][..],
            None,
            4,
            "get_test_run_results: not compared, Unauthorized (status 401)",
        ),
        (
            401,
            &[GetTestRunResults],
            None,
            4,
            "list_bugs: skipped, the service rejected the key before",
        ),
        (
            403,
            &[GetTestRunResults],
            None,
            4,
            "list_bugs: skipped, the service rejected the key before",
        ),
        // What the service does not know is left out.
        (
            404,
            &[GetRunStatusByRunId],
            None,
            0,
            "get_run_status_by_run_id: not compared, NotFound (status 404)",
        ),
        (
            404,
            &[GetLatestTestRun],
            None,
            0,
            "get_test_run_results: skipped, no test run id is known",
        ),
        // What an option names has to exist.
        (
            404,
            &statuses,
            None,
            2,
            "get_run_status: not compared, NotFound (status 404)",
        ),
        (404, &statuses[..1], None, 0, "get_run_status_v2: no drift"),
        (
            404,
            &run,
            Some("run-id"),
            2,
            "get_latest_test_run: skipped, --test-run names one",
        ),
        (
            404,
            &run,
            None,
            0,
            "get_test_attachments: skipped, no test id is known",
        ),
        (
            404,
            OperationId::ALL,
            None,
            2,
            "no drift; responses compared: 0",
        ),
        // A failure leaves the rest to be read.
        (500, &[GetProject], None, 5, "list_bugs: no drift"),
        (
            503,
            &[GetProject],
            None,
            5,
            "get_project: not compared, Server (status 503)",
        ),
        (
            429,
            &[GetProject],
            None,
            5,
            "get_project: not compared, RateLimited (status 429)",
        ),
        (
            400,
            &[GetProject],
            None,
            2,
            "get_project: not compared, Rejected (status 400)",
        ),
        (422, &[GetProject], None, 2, "list_bugs: no drift"),
    ] {
        let failed = ids.iter().map(|id| (*id, response(status, &message)));
        let mut responses: Responses = failed.collect();
        let (report, code) = verified(&responses, test_run);
        assert!(report.lines().any(|l| l == line), "{line}: {report}");
        assert_eq!(code, exit_code, "{line}: {report}");
        // A drift matters more than a failure, and less than the key.
        if !ids.contains(&ListBugs) && !ids.contains(&GetRunStatus) {
            responses.insert(GetRunStatus, response(200, &json!({ "status": 1 })));
            let (report, code) = verified(&responses, test_run);
            assert_eq!(code, if exit_code == 4 { 4 } else { 1 }, "{report}");
        }
    }
}

/// Every text that this service sends is a secret: in names, values, headers and errors.
#[test]
fn nothing_private_is_printed() {
    let s = |part: &str| format!("s3cr3t-{part}");
    let url = "https://s3cr3t.example/s3cr3t?token=s3cr3t";
    let free =
        json!({ s("key"): s("value"), "s3cr3t@example.com": [url, 4711], "customer": "jane" });
    let status = json!({
        "status": s("status"), "verdict": "s3cr3t@example.com", "failureReason": s("reason"),
        "passed": s("passed"), "failed": 4711, "recovered": -4711, "testRunId": s("run"),
        s("field"): free, "jane-doe@example.com": 1, KEY: 1,
    });
    let mut results = example(OperationId::GetTestRunResults);
    results["id"] = json!("../s3cr3t");
    results["branch"] = json!([s("branch")]);
    results["tests"][0] = json!({
        "checksumTestId": s("test"), "testTitle": s("title"), "testFilePath": [url],
        "status": s("status"), "errorMessage": { s("error"): 1 }, "healthStatus": s("health"),
        "tags": [s("tag"), { s("tag"): 1 }], "metadata": free,
    });
    let bodies = [
        (
            "get_project",
            json!({ "id": [s("id")], "name": { s("a"): s("b") }, "x": free }),
        ),
        (
            "get_latest_test_run",
            json!({ "id": s("run"), "branch": s("branch"), "y": free }),
        ),
        ("get_test_run_results", results),
        ("get_test_run_report", json!(url)),
        (
            "get_test_attachments",
            json!([url, { "url": url, s("name"): 1 }]),
        ),
        ("get_run_status", status.clone()),
        ("get_run_status_by_run_id", status.clone()),
        ("get_run_status_v2", status),
    ];
    let bodies = bodies
        .iter()
        .map(|(name, body)| (id(name), response(200, body)));
    let mut responses: Responses = bodies.collect();
    let error = json!({ "message": format!("s3cr3t {KEY}") });
    responses.insert(OperationId::ListBugs, response(500, &error));
    if let Some(v2) = responses.get_mut(&OperationId::GetRunStatusV2) {
        v2.content_type = "s3cr3t/s3cr3t";
    }
    let (report, exit_code) = verified(&responses, None);
    assert_eq!(exit_code, 1);
    assert!(report.ends_with("responses compared: 8\n"), "{report}");
    assert!(report.contains("$.*: a field"), "{report}");
    for secret in [
        "s3cr3t", "jane", "customer", "example", "4711", "token", KEY,
    ] {
        assert!(!report.contains(secret), "{secret}: {report}");
    }
}

#[test]
fn errors_of_configuration_name_the_variable() {
    let error = |key: Option<&str>, url: Option<&str>| {
        let (key, url) = (key.map(str::to_owned), url.map(str::to_owned));
        let error = verify(Arguments::default(), key, url, &mut Vec::new());
        format!("{:#}", error.expect_err("an error"))
    };
    assert_eq!(error(None, None), "no API key: set CHECKSUM_API_KEY");
    assert!(error(Some("a b"), None).starts_with("CHECKSUM_API_KEY: "));
    assert!(error(Some(KEY), Some("no URL")).starts_with("CHECKSUM_API_BASE_URL: "));
    let unencrypted = error(Some(KEY), Some("http://10.0.0.1"));
    assert!(
        unencrypted.contains("http") && !unencrypted.contains(KEY),
        "{unencrypted}"
    );
}

/// A mock server over a socket, first an honest one, then one that repeats the key.
#[test]
fn the_whole_command_against_a_mock_server() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mock = runtime.block_on(Mock::start()).expect("a mock server");
    let run = || {
        let (key, url) = (Some("abcdefgh".to_owned()), Some(mock.url()));
        let mut stdout = Vec::new();
        let code = verify(Arguments::default(), key, url, &mut stdout).expect("a report");
        (code, String::from_utf8(stdout).expect("text"))
    };
    let (code, report) = run();
    assert_eq!(code, 0, "{report}");
    let echo = json!({ "id": "a", "name": "b", "abcdefgh": 1 }).to_string();
    let echo = Fault::respond_with(echo).header("content-type", "application/json");
    mock.fault(echo.on_operation("get_project").always());
    let (code, report) = run();
    assert_eq!(code, 1, "{report}");
    assert!(
        report.contains("$.***: a field") && !report.contains("abcdefgh"),
        "{report}"
    );
}
