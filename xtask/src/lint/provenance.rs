use serde_json::Value;

use super::rule::Findings;
use crate::document::{Document, escaped, text};

const KNOWN: [&str; 3] = ["documented", "mentioned", "observed"];

pub(super) fn check(document: &Document, findings: &mut Findings<'_>) {
    values(document.value(), "#", findings);
    for (name, schema) in document.components("schemas") {
        // A schema that lets any JSON through is one whose shape nobody gave.
        let shaped = ["type", "$ref", "allOf", "oneOf", "anyOf"];
        let any = shaped.iter().all(|keyword| schema.get(keyword).is_none());
        if any && text(schema, "x-provenance") != "mentioned" {
            let place = format!("#/components/schemas/{name}");
            findings.add(place, "any JSON, so that its provenance is `mentioned`");
        }
    }
    for operation in document.operations() {
        for (status, response) in operation.responses() {
            let response = document.resolve(response);
            let place = format!("{}/responses/{status}", operation.pointer());
            if !status.starts_with('2') {
                if text(response, "x-provenance").is_empty() {
                    findings.add(place, "an error's form is not documented, say so");
                }
                continue;
            }
            let schema = document.resolve(&response["content"]["application/json"]["schema"]);
            let of_answer = text(schema, "x-provenance");
            if of_answer == "mentioned" && text(operation.value, "x-provenance") != of_answer {
                let message = "answers with what is merely mentioned, so that it is `mentioned`";
                findings.add(operation.pointer(), message);
            }
        }
    }
}

fn values(value: &Value, place: &str, findings: &mut Findings<'_>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let place = format!("{place}/{}", escaped(name));
                if name == "x-provenance" && !value.as_str().is_some_and(|v| KNOWN.contains(&v)) {
                    findings.add(&place, format!("{value} is none of {}", KNOWN.join(", ")));
                }
                values(value, &place, findings);
            }
        }
        Value::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                values(value, &format!("{place}/{index}"), findings);
            }
        }
        _ => {}
    }
}
