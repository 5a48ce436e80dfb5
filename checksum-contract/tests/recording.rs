//! What a recording keeps, and that it finds again what was found.

use checksum_contract::{Body, Document, Exchange, Recording, RecordingError, compare};
use serde_json::{Value, json};

fn document(extra: Value) -> Document {
    let mut item = json!({
        "type": "object",
        "required": ["id", "status"],
        "properties": {
            "id": { "type": "string", "minLength": 1 },
            "status": { "type": "string", "x-extensible-enum": ["passed", "failed"] },
            "count": { "type": "integer", "minimum": 0 },
            "metadata": { "type": "object", "additionalProperties": {} },
        },
    });
    if let (Value::Object(properties), Value::Object(extra)) = (&mut item["properties"], extra) {
        properties.extend(extra);
    }
    let schema = json!({
        "type": "object",
        "properties": { "items": { "type": "array", "items": item } },
    });
    let root = json!({ "paths": { "/look": { "get": {
        "operationId": "look",
        "responses": { "2XX": { "content": { "application/json": { "schema": schema } } } },
    } } } });
    Document::parse(&root.to_string()).expect("a document")
}

fn record(document: &Document, answer: &Value) -> Recording {
    let operation = document.operation("look").expect("an operation");
    let mut recording = Recording::default();
    let content_type = Some("application/json; charset=utf-8; token=s3cr3t-type");
    recording.push(Exchange::new(
        document,
        operation,
        200,
        content_type,
        Some(answer),
    ));
    recording
}

fn saved(recording: &Recording) -> String {
    let mut bytes = Vec::new();
    recording.save(&mut bytes).expect("written");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Every kind of value, each of which would give a customer away.
fn private() -> Value {
    json!({
        "items": [
            { "id": "s3cr3t-id", "status": "passed", "count": 4711, "flag": true, "ratio": 4711.5 },
            { "id": "s3cr3t-id-2", "status": "skipped", "count": -4711, "metadata": {
                "s3cr3t-key": { "s3cr3t-inner": ["s3cr3t-value", 4711] },
                "customer": "jane@example.com",
            } },
            { "id": "", "status": "s3cr3t-status", "https://s3cr3t.example": 4711, "note": "s3cr3t" },
            { "status": null, "plan": { "customer": ["s3cr3t"] } },
        ],
        "s3cr3t-list": ["s3cr3t"],
    })
}

#[test]
fn no_value_is_kept() {
    let document = document(json!({}));
    let recording = record(&document, &private());
    let text = saved(&recording);
    for secret in [
        "s3cr3t", "4711", "jane", "example", "customer", "token", "true",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let Body::Json(body) = &recording.exchanges()[0].body else {
        panic!("{text}")
    };
    let expected = json!({
        "items": [
            { "id": "string", "status": "passed", "count": 0, "flag": false, "ratio": 0.5 },
            { "id": "string", "status": "skipped", "count": -1, "metadata": {
                "(key 1)": "string",
                "(key 2)": { "(key 1)": ["string", 0] },
            } },
            { "id": "", "status": "(not shown)", "(key 1)": 0, "note": "string" },
            { "status": null, "plan": { "(key 1)": ["string"] } },
        ],
        "(key 1)": ["string"],
    });
    assert_eq!(*body, expected);
    assert_eq!(
        recording.exchanges()[0].content_type.as_deref(),
        Some("application/json")
    );
}

#[test]
fn what_was_found_is_found_again() {
    let document = document(json!({}));
    let operation = document.operation("look").expect("an operation");
    let kinds = |drifts: Vec<checksum_contract::Drift>| -> Vec<_> {
        drifts
            .into_iter()
            .map(|d| (d.path, d.kind, d.provenance))
            .collect()
    };
    // A drift of the last of many elements that look alike.
    let mut answer = private();
    let items = answer["items"].as_array_mut().expect("items");
    let plain = |n: u32| json!({ "id": n.to_string(), "status": "passed", "count": n });
    items.splice(0..0, (0..1_000).map(plain));
    items.push(json!({ "id": "a", "status": "passed", "count": "many" }));

    let recording = record(&document, &answer);
    let loaded = Recording::load(saved(&recording).as_bytes()).expect("a recording");
    assert_eq!(loaded, recording);
    assert!(saved(&recording).len() < 3_000);
    let found = kinds(compare(&document, operation, &answer));
    assert!(found.len() > 8, "{found:?}");
    assert_eq!(kinds(loaded.replay(&document)), found);
}

#[test]
fn a_recording_is_compared_with_what_the_document_has_become() {
    let before = document(json!({}));
    let answer = json!({ "items": [{ "id": "a", "status": "passed", "kind": "private" }] });
    let recording = record(&before, &answer);
    assert_eq!(recording.replay(&before).len(), 1);
    // The member has become known, as an enumeration whose values were not kept.
    let kind = json!({ "kind": { "type": "string", "x-extensible-enum": ["a", "b"] } });
    assert_eq!(recording.replay(&document(kind)), []);
    let other = Document::parse("paths: {}").expect("a document");
    assert_eq!(
        recording.replay(&other)[0].to_string(),
        "$: the document has no such operation (documented)"
    );
}

#[test]
fn errors_and_other_bodies_are_kept_by_name_alone() {
    let document = document(json!({}));
    let operation = document.operation("look").expect("an operation");
    let exchange = |status, content_type, body: Option<&Value>| {
        Exchange::new(&document, operation, status, content_type, body)
    };
    let error = json!({ "message": "s3cr3t" });
    let refused = exchange(404, Some("application/problem+json"), Some(&error));
    assert_eq!(refused.body, Body::Withheld);
    let html = exchange(200, Some("Text/HTML"), None);
    assert_eq!(
        (html.body.clone(), html.content_type.as_deref()),
        (Body::NotJson, Some("text/html"))
    );
    assert_eq!(
        exchange(200, Some("s3cr3t/s3cr3t"), None)
            .content_type
            .as_deref(),
        Some("other")
    );
    let mut recording = Recording::default();
    recording.push(refused);
    recording.push(html);
    let lines: Vec<_> = recording
        .replay(&document)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(lines, ["$: the answer is not JSON (documented)"]);
}

#[test]
fn what_is_no_recording_is_refused_by_name() {
    let refusal = |text: &str| Recording::load(text.as_bytes()).expect_err(text);
    let later = refusal(r#"{"format":"checksum-contract-recording","version":2,"rounds":[]}"#);
    assert!(matches!(later, RecordingError::OtherVersion { found: 2 }));
    assert_eq!(
        later.to_string(),
        "the recording is of version 2, and this program reads version 1"
    );
    let nameless = refusal(r#"{"format":"checksum-contract-recording"}"#);
    assert!(matches!(
        nameless,
        RecordingError::OtherVersion { found: 0 }
    ));
    assert!(matches!(refusal("{}"), RecordingError::OtherFormat));
    assert!(matches!(refusal("[1]"), RecordingError::OtherFormat));
    assert!(matches!(refusal("<html>"), RecordingError::Malformed(_)));
    assert!(matches!(
        refusal(r#"{"format":"checksum-contract-recording","version":1}"#),
        RecordingError::Malformed(_)
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(refusal(&deep), RecordingError::Malformed(_)));
}
