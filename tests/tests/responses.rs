//! Every answer decoded: the document's examples, and what no document foresees.

use checksum_api::{Client, OperationId};
use checksum_tests::document::{examples, examples_and_encoded};
use checksum_tests::{Answer, Answers, operations};
use serde_json::{Value, json};

/// What each body becomes: the value, encoded again, or the error's text.
async fn decoded(operation: OperationId, bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    let bodies = bodies
        .into_iter()
        .map(|body| Answer::status(200).body(body));
    let bodies: Vec<Answer> = bodies.collect();
    let count = bodies.len();
    // One client for all of them: to set up TLS takes longer than to decode.
    let client: Client = Answers::new(bodies).client().api().clone();
    let mut outcomes = Vec::new();
    for _ in 0..count {
        outcomes.push(match operations::call(&client, operation).await {
            Ok(value) => value.to_string(),
            Err(error) => format!("error: {error}"),
        });
    }
    outcomes
}

/// The value that comes out is the one that went in.
#[tokio::test]
async fn examples_survive() {
    for id in OperationId::ALL.iter().copied() {
        let examples = examples_and_encoded(id);
        let bodies = examples
            .iter()
            .map(|(_, example, _)| example.to_string().into());
        let values = decoded(id, bodies).await;
        for ((name, _, encoded), value) in examples.iter().zip(values) {
            let value: Value = serde_json::from_str(&value).unwrap_or_else(|_| panic!("{value}"));
            assert_eq!(value, *encoded, "{id} {name}");
        }
    }
}

/// What an answer becomes when one thing about it is not as described.
#[tokio::test]
async fn hostile_answers() {
    for id in OperationId::ALL.iter().copied() {
        // An object has the most that can be wrong.
        let mut examples = examples(id);
        examples.sort_by_key(|(_, example)| example.is_object());
        let (_, example) = examples.pop().expect("an example");
        let mut told = vec![format!("example: {example}"), String::new()];
        let (whats, bodies): (Vec<String>, Vec<Vec<u8>>) = variations(&example).into_iter().unzip();
        for (what, outcome) in whats.into_iter().zip(decoded(id, bodies).await) {
            let outcome = match serde_json::from_str(&outcome) {
                Ok(value) => difference(&example, &value),
                Err(_) => outcome,
            };
            assert!(outcome.len() < 1_000, "{id} {what}: {outcome}");
            told.push(format!("{what}\n    {outcome}"));
        }
        insta::assert_snapshot!(format!("hostile {id}"), told.join("\n"));
    }
}

/// What of a value is not as in the example.
fn difference(example: &Value, value: &Value) -> String {
    let (Value::Object(before), Value::Object(after)) = (example, value) else {
        return match value.to_string() {
            _ if example == value => "as the example".to_owned(),
            text if text.len() < 500 => text,
            text => format!("{} bytes of JSON", text.len()),
        };
    };
    let lost = before.keys().filter(|name| !after.contains_key(*name));
    let lost = lost.map(|name| format!("without {name}"));
    let other = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value));
    let other = other.map(|(name, value)| format!("{name} is {value}"));
    let all: Vec<String> = lost.chain(other).collect();
    match all.as_slice() {
        [] => "as the example".to_owned(),
        all => all.join(", "),
    }
}

fn variations(example: &Value) -> Vec<(String, Vec<u8>)> {
    let mut variations: Vec<(String, Vec<u8>)> = vec![
        ("nothing".into(), Vec::new()),
        ("white space".into(), b" \n".into()),
        ("null".into(), b"null".into()),
        ("an empty object".into(), b"{}".into()),
        ("an empty list".into(), b"[]".into()),
        ("a string".into(), b"\"text\"".into()),
        ("a number".into(), b"1".into()),
        (
            "a proxy's page".into(),
            b"<!doctype html><title>502 Bad Gateway</title>".into(),
        ),
        ("no UTF-8".into(), b"{\"name\":\"\xff\"}".into()),
        ("two values".into(), format!("{example}{example}").into()),
        (
            "a byte order mark".into(),
            format!("\u{feff}{example}").into(),
        ),
        (
            "white space around it".into(),
            format!(" \r\n{example}\n\n").into(),
        ),
        (
            "wrapped in a list".into(),
            json!([example]).to_string().into(),
        ),
        (
            "wrapped in `data`".into(),
            json!({ "data": example }).to_string().into(),
        ),
        (
            "a megabyte of text".into(),
            json!("x".repeat(1_000_000)).to_string().into(),
        ),
        (
            "a hundred thousand brackets".into(),
            "[".repeat(100_000).into(),
        ),
    ];
    let Value::Object(members) = example else {
        return variations;
    };
    let mut with = |what: String, name: &str, value: Option<Value>| {
        let mut changed = members.clone();
        match value {
            Some(value) => changed.insert(name.to_owned(), value),
            None => changed.remove(name),
        };
        variations.push((what, Value::Object(changed).to_string().into()));
    };
    with(
        "a member that nobody knows".into(),
        "unheardOf",
        Some(json!({ "deep": [1, null] })),
    );
    for (name, value) in members {
        with(format!("no {name}"), name, None);
        with(format!("{name}: null"), name, Some(Value::Null));
        let other = match value {
            Value::Number(number) => json!(number.to_string()),
            Value::String(_) => json!(7),
            Value::Bool(_) => json!("true"),
            Value::Array(_) => json!({ "0": "a list that is none" }),
            Value::Object(_) => json!(["an object that is none"]),
            Value::Null => json!("something"),
        };
        with(format!("{name}: {other}"), name, Some(other));
        match value {
            Value::Number(_) => {
                for huge in [json!(u64::MAX), json!(1e30), json!(-1), json!(1.5)] {
                    with(format!("{name}: {huge}"), name, Some(huge));
                }
            }
            Value::String(_) => {
                for text in ["", "..", "never-heard-of", "a\nb"] {
                    with(format!("{name}: {text:?}"), name, Some(json!(text)));
                }
            }
            Value::Array(list) => {
                let mut list = list.clone();
                list.push(Value::Null);
                with(
                    format!("{name}: with a null at its end"),
                    name,
                    Some(Value::Array(list)),
                );
            }
            _ => {}
        }
    }
    variations
}

/// A body that is cut off is never half an answer.
#[tokio::test]
async fn cut_off_at_every_byte() {
    for id in OperationId::ALL.iter().copied() {
        let (_, example) = examples(id).into_iter().next().expect("an example");
        let body = example.to_string().into_bytes();
        let parts = (0..body.len()).map(|end| body[..end].to_vec());
        for (end, outcome) in decoded(id, parts).await.iter().enumerate() {
            let refused = outcome.contains("expected JSON, got ");
            assert!(refused, "{id} at {end}: {outcome}");
        }
    }
    let body = br#"{"name":"job-name-12345"}"#;
    let parts = (0..=body.len()).map(|end| body[..end].to_vec());
    let told = decoded(OperationId::RunSuite, parts).await;
    insta::assert_snapshot!(told.join("\n"));
}
