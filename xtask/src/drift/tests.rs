//! A service with responses that are not as documented, and that nothing private is printed.

use std::collections::BTreeMap;
use std::iter;
use std::sync::LazyLock;

use checksum_api::{OPERATIONS, Operation};
use checksum_mock::{Fault, Mock};
use serde_json::{Value, json};

use super::compare::{Drift, Drifts, compare};
use super::*;

const KEY: &str = "s3cr3t-key-0123456789abcdef";

/// The status code, the media type and the body of the response to each of these operations.
type Responses = BTreeMap<OperationId, (u16, String, String)>;

fn id(operation: &str) -> OperationId {
    Operation::find(operation).expect("an operation").id
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::current().expect("the document"));

/// Each example of a success, with its status code.
static EXAMPLES: LazyLock<Vec<(OperationId, u16, Value)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for operation in DOCUMENT.operations() {
        let successes = operation.responses();
        for (code, response) in successes.filter(|(code, _)| code.starts_with('2')) {
            let content = &DOCUMENT.resolve(response)["content"]["application/json"];
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
fn verified(responses: &Responses, names_test_run: bool) -> (String, u8) {
    let responses = responses.clone();
    let send = move |request: reqwest::Request| {
        let path = request.url().path();
        let path = path.strip_prefix("/public-api").unwrap_or(path);
        let is_sent = |o: &&Operation| o.method == request.method() && o.matches(path);
        let operation = OPERATIONS.iter().find(is_sent).expect("an operation");
        assert!(operation.is_read(), "{}", operation.id);
        let response = responses.get(&operation.id).cloned();
        let honest = || (200, String::new(), example(operation.id).to_string());
        let (status, media_type, body) = response.unwrap_or_else(honest);
        let response = http::Response::builder().status(status);
        let response = response.header("content-type", media_type);
        let response = response.body(body).expect("a response");
        async move { Ok(reqwest::Response::from(response)) }
    };
    let client = Client::builder(ApiKey::new(KEY).expect("a key"))
        .base_url("http://127.0.0.1:9".parse().expect("a URL"))
        .transport(send)
        .build()
        .expect("a client");
    let arguments = Arguments {
        job: Some("s3cr3t-job".parse().expect("a job name")),
        test_run: names_test_run.then(|| "run-id".parse().expect("an id")),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (report, exit_code) = runtime
        .block_on(read(client, &DOCUMENT, arguments))
        .expect("a report");
    (report.to_string(), exit_code)
}

#[test]
fn each_difference_is_reported_and_decides_the_exit_code() {
    let (honest, _) = verified(&Responses::new(), false);
    let honest: Vec<&str> = honest.lines().collect();
    let counts = |line: &&str| line.contains(": drifts: ") || line.contains("compared: ");
    let cases = include_str!("cases.txt");
    let mut found = String::new();
    let mut lines = cases
        .lines()
        .filter(|line| !line.starts_with("  "))
        .peekable();
    while let Some(head) = lines.next() {
        if head.is_empty() || head.starts_with('#') {
            found += &format!("{head}\n");
            continue;
        }
        let case = head[1..].trim_start();
        let names_test_run = case.starts_with("--test-run ");
        let mut responses = Responses::from([differing(case.trim_start_matches("--test-run "))]);
        let others: Vec<&str> = iter::from_fn(|| lines.next_if(|l| l.starts_with('+'))).collect();
        responses.extend(others.iter().map(|line| differing(&line[2..])));
        let (report, code) = verified(&responses, names_test_run);
        found += &format!("{code} {case}\n");
        others.iter().for_each(|line| found += &format!("{line}\n"));
        let lines = report
            .lines()
            .filter(|line| !counts(line) && !honest.contains(line));
        lines.for_each(|line| found += &format!("  {}\n", line.trim()));
    }
    let diff = similar::TextDiff::from_lines(cases, &found);
    assert!(cases == found, "{}", diff.unified_diff());
}

/// Reads the response of an operation from a line of `cases.txt`.
fn differing(line: &str) -> (OperationId, (u16, String, String)) {
    let (operation, change) = line.split_once(' ').expect("an operation");
    let (place, value) = change.split_once(' ').expect("a change");
    let id = id(operation);
    let success = |body: &str| (200, "application/json".to_owned(), body.to_owned());
    let response = if place == "." {
        success(value)
    } else if place == "status" {
        let body = r#"{ "message": "s3cr3t" }"#.to_owned();
        (value.parse().expect("a code"), String::new(), body)
    } else if let Some((parent, name)) = place.rsplit_once('/') {
        let mut body = example(id);
        let parent = body.pointer_mut(parent).expect("a part");
        if value == "-" {
            let fields = parent.as_object_mut().expect("an object");
            fields.remove(name).expect("a field");
        } else {
            parent[name] = value.parse().expect("JSON");
        }
        success(&body.to_string())
    } else {
        let (media_type, body) = value.split_once(' ').expect("a body");
        let status = place.parse().expect("a code");
        (status, media_type.to_owned(), body.to_owned())
    };
    (id, response)
}

/// Negative control, for every field of every example: the comparison must find a field that the
/// document does not have, a value of another type, and that a required field is missing.
#[test]
fn every_change_of_an_example_is_found() {
    let schemas = Schemas::of(&DOCUMENT).expect("schemas");
    let mut missing = 0;
    for (id, status, example) in EXAMPLES.iter() {
        let expected = schemas.expected(*id, *status).expect("a response");
        let drifts = |body: &Value| compare(&expected, body);
        assert_eq!(drifts(example), Drifts::new(), "{id}: {example}");
        for pointer in pointers(example) {
            let changed = |pointer: &str, change: &dyn Fn(&mut Value)| {
                let mut body = example.clone();
                change(body.pointer_mut(pointer).expect("a part"));
                drifts(&body)
            };
            let other_type = |part: &mut Value| {
                *part = if part.is_boolean() {
                    1.into()
                } else {
                    true.into()
                }
            };
            assert!(!changed(&pointer, &other_type).is_empty(), "{id} {pointer}");
            if example.pointer(&pointer).is_some_and(Value::is_object) {
                let unknown = changed(&pointer, &|part| part["unknown"] = json!(1));
                let found = unknown.keys().map(ToString::to_string).collect::<String>();
                assert!(
                    found.contains("unknown: a field"),
                    "{id} {pointer}: {found}"
                );
            }
            if let Some((parent, name)) = pointer.rsplit_once('/') {
                let remove = |part: &mut Value| drop(part.as_object_mut().map(|o| o.remove(name)));
                missing += usize::from(!changed(parent, &remove).is_empty());
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
fn a_conforming_service_has_no_drift() {
    let (report, exit_code) = verified(&Responses::new(), false);
    assert_eq!(exit_code, 0, "{report}");
    let not_read = report.lines().filter(|line| !line.ends_with(": no drift"));
    let reads = OperationId::ALL
        .iter()
        .filter(|id| id.operation().is_read());
    let compared = format!("no drift; responses compared: {}", reads.count() - 3);
    let expected = [
        "find_affected_tests: skipped, it needs a list of files",
        "get_heal_batch: skipped, no batch id is known",
        "get_generation_batch: skipped, no batch id is known",
        &compared,
    ];
    assert_eq!(not_read.collect::<Vec<_>>(), expected);
}

#[test]
fn provenance_is_that_of_the_nearest_part_which_has_one() {
    // The provenance of a response, of its schema and of a field; then, of a difference in the
    // whole and in the field.
    for [response, schema, field, whole, part] in [
        ["", "", "", "documented", "documented"],
        ["assumed", "", "", "assumed", "assumed"],
        ["assumed", "observed", "", "observed", "observed"],
        ["assumed", "documented", "", "documented", "documented"],
        ["", "", "mentioned", "documented", "mentioned"],
        ["", "observed", "mentioned", "observed", "mentioned"],
        ["", "a typing error", "", "a typing error", "a typing error"],
    ] {
        let mark = |word: &'static str| Some(word).filter(|word| !word.is_empty());
        let status = json!({ "properties": { "status": {} } });
        let text = json!({
            "paths": { "/v1/me": { "get": { "operationId": "get_project", "responses": { "200": {
                "x-provenance": mark(response),
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } },
            } } } } },
            "components": { "schemas": {
                "RunStatus": status, "RunStatusV2": status,
                "A": { "x-provenance": mark(schema), "type": "object", "required": ["b"], "properties": {
                    "b": { "x-provenance": mark(field), "allOf": [{ "$ref": "#/components/schemas/B" }] },
                } },
                "B": { "type": "string", "anyOf": [
                    { "type": "string", "enum": ["x"] }, { "type": "string" },
                ] },
            } },
        });
        let document = Document::parse(text.to_string()).expect("a document");
        let schemas = Schemas::of(&document).expect("schemas");
        let expected = schemas.expected(OperationId::GetProject, 200);
        let expected = expected.expect("a response");
        for (body, provenance) in [
            (json!(1), whole),
            (json!({ "b": "x", "c": 1 }), whole),
            (json!({}), part),
            (json!({ "b": 1 }), part),
            (json!({ "b": "y" }), part),
        ] {
            let drifts: Vec<Drift> = compare(&expected, &body).into_keys().collect();
            let [drift] = &drifts[..] else {
                panic!("{body}: {drifts:?}")
            };
            let line = drift.to_string();
            assert!(line.ends_with(&format!("({provenance})")), "{body}: {line}");
            let is_note = ["mentioned", "observed", "assumed"].contains(&provenance);
            assert_eq!(drift.is_failure(), !is_note, "{body}: {line}");
        }
    }
}

/// Every text that this service sends is a secret: in names, values, headers and errors.
#[test]
fn no_private_value_is_printed() {
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
    let bodies = json!({
        "get_project": { "id": [s("id")], "name": { s("a"): s("b") }, "x": free },
        "get_latest_test_run": { "id": s("run"), "branch": s("branch"), "y": free },
        "get_test_run_results": results,
        "get_test_run_report": url,
        "get_test_attachments": [url, { "url": url, s("name"): 1 }],
        "get_run_status": status,
        "get_run_status_v2": status,
        "get_run_status_by_run_id": status,
        "list_bugs": { "message": format!("s3cr3t {KEY}") },
    });
    let bodies = bodies.as_object().into_iter().flatten();
    let responses: Responses = bodies
        .map(|(name, body)| {
            let status = if name == "list_bugs" { 500 } else { 200 };
            (
                id(name),
                (status, "s3cr3t/s3cr3t".to_owned(), body.to_string()),
            )
        })
        .collect();
    let (report, exit_code) = verified(&responses, false);
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
