//! What the client makes of responses that are not as the document describes them.

use std::collections::BTreeMap;

use checksum_api::{Client, Error, ErrorKind, OperationId};
use checksum_tests::document::{encoded, examples, schema};
use checksum_tests::operations::Inputs;
use checksum_tests::wording::without_json_library;
use checksum_tests::{FakeResponse, FakeTransport, snapshot};
use serde_json::{Value, json};

/// Returns what each body of an operation becomes: the value, encoded again, or the error.
async fn decoded(
    operation: OperationId,
    bodies: impl IntoIterator<Item = Vec<u8>>,
) -> Vec<Result<Value, Error>> {
    let bodies = bodies.into_iter();
    let bodies: Vec<_> = bodies
        .map(|body| FakeResponse::status(200).body(body))
        .collect();
    let count = bodies.len();
    // One client for all of them: to set up TLS takes longer than to decode.
    let client: Client = FakeTransport::in_order(bodies).client().raw().clone();
    let mut outcomes = Vec::new();
    for _ in 0..count {
        outcomes.push(Inputs::documented().call(&client, operation).await);
    }
    outcomes
}

/// Returns the example with the most that can be wrong: an object, where there is one.
fn richest_example(operation: OperationId) -> Value {
    let mut examples = examples(operation);
    examples.sort_by_key(|(_, example)| example.is_object());
    examples.pop().expect("an example").1
}

/// What a body becomes that is not the described object at all, with the operations that take it.
#[tokio::test]
async fn malformed_bodies() {
    let mut rows = BTreeMap::<String, BTreeMap<String, Vec<OperationId>>>::new();
    let mut texts = BTreeMap::new();
    for id in OperationId::ALL.iter().copied() {
        let example = richest_example(id);
        let (names, bodies): (Vec<&str>, Vec<Vec<u8>>) = bodies(&example).into_iter().unzip();
        for (name, outcome) in names.into_iter().zip(decoded(id, bodies).await) {
            let outcome = match outcome {
                Ok(value) if value == encoded(schema(id), &example) => "the example".to_owned(),
                Ok(_) => "another value".to_owned(),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.len() < 1_000, "{id} {name}: {text}");
                    let kind = format!("{:?}", error.kind());
                    let retry = if error.is_transient() {
                        ", retryable"
                    } else {
                        ""
                    };
                    if ["empty", "a proxy's page", "an empty object"].contains(&name) {
                        texts
                            .entry(name)
                            .or_insert_with(|| format!("{name}: {}", without_json_library(&text)));
                    }
                    format!("{kind}{retry}")
                }
            };
            let row = rows.entry(name.to_owned()).or_default();
            row.entry(outcome).or_default().push(id);
        }
    }
    let mut bodies_by_outcome = BTreeMap::<String, Vec<&str>>::new();
    for (body, outcomes) in &rows {
        let outcomes = outcomes
            .iter()
            .map(|(outcome, operations)| match outcomes.len() {
                1 => outcome.clone(),
                _ => format!("{outcome} ({})", listed(operations)),
            });
        let outcomes: Vec<String> = outcomes.collect();
        let bodies = bodies_by_outcome.entry(outcomes.join("; "));
        bodies.or_default().push(body);
    }
    let mut lines: Vec<String> = bodies_by_outcome
        .into_iter()
        .map(|(outcomes, bodies)| format!("{outcomes}\n    {}", bodies.join(", ")))
        .collect();
    lines.extend(texts.into_values());
    snapshot!(lines.join("\n"));
}

/// What one field becomes that is absent or holds something else, for each field of each response.
#[tokio::test]
async fn malformed_fields() {
    let mut operations = BTreeMap::<String, Vec<OperationId>>::new();
    for id in OperationId::ALL.iter().copied() {
        let mut lines = Vec::new();
        let Value::Object(example) = richest_example(id) else {
            continue;
        };
        let fields = example.keys().map(String::as_str);
        for name in fields.chain(["unheardOf"]) {
            let before = encoded(schema(id), &example.clone().into());
            let (values, bodies): (Vec<Option<Value>>, Vec<Vec<u8>>) = values(example.get(name))
                .into_iter()
                .map(|value| {
                    let mut body = example.clone();
                    match &value {
                        Some(value) => body.insert(name.to_owned(), value.clone()),
                        None => body.remove(name),
                    };
                    (value, Value::Object(body).to_string().into())
                })
                .unzip();
            let mut outcomes = BTreeMap::<String, Vec<String>>::new();
            for (value, outcome) in values.into_iter().zip(decoded(id, bodies).await) {
                let shown = value.as_ref().map_or("absent".to_owned(), shown);
                let outcome = match outcome {
                    Ok(after) => {
                        let mut others = after.clone();
                        let others = others.as_object_mut().expect("an object");
                        let found = others.remove(name);
                        let mut expected = before.as_object().cloned().unwrap_or_default();
                        expected.remove(name);
                        assert_eq!(
                            *others, expected,
                            "{id} {name} {shown}: another field changed"
                        );
                        match found {
                            found if found == value => "kept".to_owned(),
                            None => "dropped".to_owned(),
                            found if found == before.get(name).cloned() => {
                                "read as the example's".to_owned()
                            }
                            Some(found) => format!("read as {found}"),
                        }
                    }
                    Err(error) => {
                        let text = error.to_string();
                        assert_eq!(error.kind(), ErrorKind::UnexpectedBody, "{text}");
                        assert!(!error.is_transient(), "{text}");
                        assert!(text.contains(&format!("`{name}")), "no {name} in {text}");
                        "error".to_owned()
                    }
                };
                outcomes.entry(outcome).or_default().push(shown);
            }
            let outcomes = outcomes.iter();
            let outcomes: Vec<String> = outcomes
                .map(|(outcome, values)| format!("{outcome}: {}", values.join(", ")))
                .collect();
            lines.push(format!("    {name:<16} {}", outcomes.join("; ")));
        }
        operations.entry(lines.join("\n")).or_default().push(id);
    }
    let mut operations: Vec<_> = operations.into_iter().collect();
    operations.sort_by_key(|(_, ids)| ids[0]);
    let operations = operations.into_iter();
    let operations: Vec<String> = operations
        .map(|(lines, ids)| format!("{}\n{lines}", names(&ids)))
        .collect();
    snapshot!(operations.join("\n"));
}

/// A body that is cut off is never taken for a whole one.
#[tokio::test]
async fn cut_off_at_every_byte() {
    for id in OperationId::ALL.iter().copied() {
        let (_, example) = examples(id).into_iter().next().expect("an example");
        let body = example.to_string().into_bytes();
        let parts = (0..body.len()).map(|end| body[..end].to_vec());
        for (end, outcome) in decoded(id, parts).await.into_iter().enumerate() {
            let error = outcome.expect_err("half a body");
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidJson,
                "{id} at {end}: {error}"
            );
            assert!(error.is_transient(), "{id} at {end}: {error}");
        }
    }
}

fn bodies(example: &Value) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("white space", b" \n".into()),
        ("null", b"null".into()),
        ("an empty object", b"{}".into()),
        ("an empty list", b"[]".into()),
        ("a string", b"\"text\"".into()),
        ("a number", b"1".into()),
        (
            "a proxy's page",
            b"<!doctype html><title>502 Bad Gateway</title>".into(),
        ),
        ("not UTF-8", b"{\"name\":\"\xff\"}".into()),
        ("two values", format!("{example}{example}").into()),
        (
            "after a byte order mark",
            format!("\u{feff}{example}").into(),
        ),
        ("in white space", format!(" \r\n{example}\n\n").into()),
        ("in a list", json!([example]).to_string().into()),
        ("in `data`", json!({ "data": example }).to_string().into()),
        (
            "a hundred kilobytes of text",
            json!("x".repeat(100_000)).to_string().into(),
        ),
        ("a hundred thousand brackets", "[".repeat(100_000).into()),
    ]
}

/// What stands in the place of a field that the example gives this value.
fn values(example: Option<&Value>) -> Vec<Option<Value>> {
    let mut values = vec![None, Some(Value::Null)];
    values.extend(
        match example {
            None => return vec![Some(json!({ "deep": [1, null] }))],
            Some(Value::Number(number)) => vec![
                json!(number.to_string()),
                json!(u64::MAX),
                json!(1e30),
                json!(-1),
                json!(1.5),
            ],
            Some(Value::String(_)) => vec![
                json!(7),
                json!(""),
                json!(".."),
                json!("never-heard-of"),
                json!("a\nb"),
            ],
            Some(Value::Bool(_)) => vec![json!("true")],
            Some(Value::Array(list)) => {
                let mut with_null = list.clone();
                with_null.push(Value::Null);
                vec![json!({ "0": "no list" }), with_null.into()]
            }
            Some(Value::Object(_)) => vec![json!(["no object"])],
            Some(Value::Null) => vec![json!("something")],
        }
        .into_iter()
        .map(Some),
    );
    values
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(list) if list.len() > 1 => "a null at its end".to_owned(),
        value => value.to_string(),
    }
}

/// Returns the operations, or those that are missing if they are fewer.
fn listed(operations: &[OperationId]) -> String {
    if operations.len() * 2 <= OperationId::ALL.len() {
        return names(operations);
    }
    let others = OperationId::ALL.iter().copied();
    let others: Vec<_> = others.filter(|id| !operations.contains(id)).collect();
    format!("all but {}", names(&others))
}

fn names(operations: &[OperationId]) -> String {
    let names: Vec<&str> = operations.iter().map(|id| id.as_str()).collect();
    names.join(", ")
}
