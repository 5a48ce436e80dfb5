//! The formats of the output, and the schema of the JSON.

use std::fs;

use checksum_mock::{Fault, RunScript};
use serde_json::Value;

use crate::invocation::{checksum, exec, start_mock};
use crate::transcript::{FORMATS, TEST_RUN, after_a_run, transcript};

#[tokio::test(flavor = "multi_thread")]
async fn run_prints_each_format() {
    let mut all = String::new();
    for format in FORMATS {
        let mock = start_mock().await;
        mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
        let fault = Fault::status(503).header("retry-after", "0");
        mock.fault(fault.on_operation("get_run_status").after(1));
        let arguments = format!("run suite --poll-interval 0s --output {format}");
        all += &transcript(&mock, &arguments, 1);
    }
    insta::assert_snapshot!("run", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_read_print_each_format() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for (arguments, code) in [
        ("status job-name-12345", 1),
        ("wait job-name-12345 --quiet", 1),
        ("me", 0),
        ("latest", 0),
        (&format!("results {TEST_RUN}"), 0),
        (&format!("results {TEST_RUN} --status failed"), 0),
        (&format!("report {TEST_RUN}"), 0),
        (
            &format!("report {TEST_RUN} --download {path}/report.html"),
            0,
        ),
        (&format!("attachments {TEST_RUN} test-def-456"), 0),
        (
            &format!("attachments {TEST_RUN} --failed --download {path}"),
            0,
        ),
        ("bugs --severity critical", 0),
        ("bugs --tag checkout --limit 1", 0),
    ] {
        for format in FORMATS {
            let arguments = format!("{arguments} --output {format}");
            all += &transcript(&mock, &arguments, code).replace(path, "[directory]");
        }
    }
    assert!(!all.contains("standard error"), "{all}");
    insta::assert_snapshot!("reading", all);
    let report = fs::read_to_string(directory.path().join("report.html")).expect("a report");
    assert!(report.starts_with("<!doctype html>"), "{report}");
    let traces = fs::read_dir(directory.path().join("test-def-456")).expect("a directory");
    assert_ne!(traces.count(), 0);
}

/// Every test that requests JSON checks the lines against the schema. This is its outline: each
/// type with its fields, `?` for one that may be absent.
#[test]
fn the_schema_is_unchanged() {
    let ended = checksum("", "schema").end().exits(0);
    let schema: Value = serde_json::from_str(&ended.stdout).expect("a schema");
    let mut outline = String::from("line\n");
    fields(&schema, &mut outline);
    for message in schema["oneOf"].as_array().expect("messages") {
        let name = message["properties"]["type"]["const"]
            .as_str()
            .expect("a type");
        outline += &format!("\n{name}\n");
        fields(message, &mut outline);
    }
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        outline += &format!("\n{name}: {}\n", type_of(definition));
        fields(definition, &mut outline);
    }
    insta::assert_snapshot!("schema", outline);
}

fn fields(schema: &Value, outline: &mut String) {
    if let (Some(path), true) = (schema["$ref"].as_str(), schema["properties"].is_object()) {
        *outline += &format!("  ...{}\n", path.replace("#/$defs/", ""));
    }
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.contains(&name.as_str().into()));
        let mark = if is_required { "" } else { "?" };
        *outline += &format!("  {name}{mark}: {}\n", type_of(field));
    }
}

fn type_of(schema: &Value) -> String {
    let union = |schemas: &Vec<Value>| {
        let types: Vec<String> = schemas.iter().map(type_of).collect();
        types.join(" | ")
    };
    if let Some(path) = schema["$ref"].as_str() {
        return path.replace("#/$defs/", "");
    }
    for keyword in ["enum", "anyOf", "oneOf"] {
        if let Some(schemas) = schema[keyword].as_array() {
            return union(schemas);
        }
    }
    match (&schema["const"], &schema["type"]) {
        (Value::Null, Value::String(name)) if name == "array" => {
            format!("[{}]", type_of(&schema["items"]))
        }
        (Value::Null, Value::String(name)) => name.clone(),
        (Value::Null, Value::Array(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" | ")
        }
        (Value::Null, _) if schema.is_string() => schema.to_string(),
        (Value::Null, _) => "any".to_owned(),
        (value, _) => value.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_json_with_output_json() {
    let mock = start_mock().await;
    let ended = exec(&mock, "wait nowhere --output json");
    let error = ended.last_line();
    assert_eq!(error["type"], "error");
    assert_eq!(error["exitCode"], 2);
    assert_eq!(error["handle"]["run"]["jobName"], "nowhere");
    assert!(
        error["error"]
            .as_str()
            .is_some_and(|text| text.contains("404")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_prints_only_the_name() {
    let mock = start_mock().await;
    let ended = exec(&mock, "run suite --poll-interval 0s --quiet");
    assert_eq!(ended.stderr, "started job-name-12345\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_the_service_cannot_imitate_other_output() {
    let mock = start_mock().await;
    let hostile = "odd\u{1b}]0;title\u{7}\n::set-output name=a::b";
    mock.next_run(
        RunScript::new()
            .end_state(hostile)
            .field("failureReason", hostile),
    );
    let arguments = "run suite --poll-interval 0s --color always";
    let ended = exec(&mock, arguments).exits(5);
    for shown in [&ended.stdout, &ended.stderr] {
        assert!(shown.contains("odd ]0;title  ::set-output"), "{ended:?}");
        assert!(!shown.contains('\u{1b}'), "{ended:?}");
        assert!(!shown.contains("\n::"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_colours_follow_the_color_option() {
    let mock = start_mock().await;
    for (color, is_coloured) in [("always", true), ("never", false), ("auto", false)] {
        let ended = exec(&mock, format!("me -vv --color {color}"));
        ended.stderr_has("DEBUG");
        assert_eq!(ended.stderr.contains('\u{1b}'), is_coloured, "{ended:?}");
    }
}
