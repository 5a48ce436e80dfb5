//! Rewrites the public document for progenitor, which cannot read all of it.
//!
//! The published document is the same for every tool. Each function here changes one thing of it for
//! progenitor, for a reason that it documents. `cargo xtask generate` writes the result to
//! `target/xtask/progenitor.json` for inspection.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{component, fields, operations, resolved};

/// The fields of responses that the client needs. All others may be missing.
const ESSENTIAL: &[(&str, &[&str])] = &[
    ("Project", &["id", "name"]),
    ("RunStatus", &["status"]),
    ("RunStatusV2", &["status"]),
    ("RunStatusByRunId", &["status"]),
    ("TestRunResults", &["id", "status", "tests"]),
    ("TestResult", &["checksumTestId", "status"]),
    ("HealBatchStarted", &["batchId"]),
    ("GenerationStarted", &["batchId"]),
    ("Batch", &["batchId", "status", "allTerminal", "sessions"]),
    ("BatchSession", &["sessionId", "status"]),
    ("AffectedTests", &["affectedTestIds"]),
];

/// Identifiers that can be null, by schema and field, and the schema of the identifier: all have the
/// same pattern, so that the pattern does not identify it.
const NULLABLE_IDENTIFIERS: &[(&str, &str, &str)] = &[("DispatchedRun", "name", "JobName")];

/// One change of the document.
type Rewrite = fn(&mut Value);

/// Every rewrite, in the order in which they are made.
pub(crate) const REWRITES: &[(&str, Rewrite)] = &[
    ("keep_one_success", keep_one_success),
    ("read_free_responses_as_json", read_free_responses_as_json),
    (
        "let_response_fields_be_missing",
        let_response_fields_be_missing,
    ),
    ("read_counts_as_unsigned", read_counts_as_unsigned),
    ("name_nullable_identifiers", name_nullable_identifiers),
    (
        "leave_defaults_to_the_service",
        leave_defaults_to_the_service,
    ),
    (
        "leave_conditions_to_the_service",
        leave_conditions_to_the_service,
    ),
    ("leave_out_what_is_not_used", leave_out_what_is_not_used),
];

/// Returns the document as progenitor reads it.
pub(crate) fn for_progenitor(document: &Value) -> Value {
    let mut document = document.clone();
    for (_, rewrite) in REWRITES {
        rewrite(&mut document);
    }
    document
}

/// Removes all responses of an operation but one success, with a body if any success has one.
/// Progenitor needs it for the type that the operation returns. `error/failure.rs` classifies other
/// responses by the status code, since the body of an error can be anything.
fn keep_one_success(document: &mut Value) {
    each_operation(document, |_, operation| {
        let Some(responses) = operation["responses"].as_object_mut() else {
            return;
        };
        let successes: Vec<&Value> = responses
            .iter()
            .filter(|(code, _)| code.starts_with('2'))
            .map(|(_, response)| response)
            .collect();
        let has_body = |response: &&&Value| response.get("content").is_some();
        let success = successes.iter().find(has_body).or(successes.first());
        let kept = success.map(|success| ("2XX".to_owned(), (*success).clone()));
        *responses = kept.into_iter().collect();
    });
}

/// Allows any JSON for a response whose shape the service's description does not give. The
/// extension crate decodes the likely shapes, and keeps the JSON.
fn read_free_responses_as_json(document: &mut Value) {
    let free: BTreeSet<String> = operations(document)
        .filter(|operation| operation.value["x-provenance"] == "mentioned")
        .filter_map(|operation| {
            let success = resolved(document, &operation.value["responses"]["2XX"]);
            component(&success["content"]["application/json"]["schema"]).map(str::to_owned)
        })
        .collect();
    each_schema(document, |name, schema| {
        if free.contains(name) {
            *schema = json!({ "description": schema["description"] });
        }
    });
}

/// Makes fields of responses optional, except those that the client needs. Otherwise a response that
/// lacks one field could not be decoded. A nullable field stays required, so that its null is kept; the
/// generated decoder reads a missing one as null.
fn let_response_fields_be_missing(document: &mut Value) {
    let responses = response_schemas(document);
    each_schema(document, |name, schema| {
        if !responses.contains(name) {
            return;
        }
        let essential = ESSENTIAL.iter().find(|(of, _)| *of == name);
        let essential = essential.map_or(&[][..], |(_, fields)| fields);
        let properties = schema["properties"].clone();
        let Some(required) = schema["required"].as_array_mut() else {
            return;
        };
        required.retain(|field| {
            let field = field.as_str().unwrap_or_default();
            essential.contains(&field) || properties[field]["nullable"] == true
        });
    });
}

/// Makes counts unsigned: progenitor generates a signed type for `int64`, whatever its minimum. The
/// document cannot have `uint64`, since no other tool knows it.
fn read_counts_as_unsigned(document: &mut Value) {
    each_value(document, &mut |value| {
        let is_count = value["type"] == "integer"
            && value["minimum"]
                .as_i64()
                .is_some_and(|minimum| minimum >= 0);
        if is_count {
            value["format"] = "uint64".into();
        }
    });
}

/// Refers to the identifier's schema where an identifier is nullable. Progenitor makes another type for
/// each inline pattern, and `nullable` cannot be added to a reference.
fn name_nullable_identifiers(document: &mut Value) {
    each_schema(document, |name, schema| {
        for (_, field, identifier) in NULLABLE_IDENTIFIERS.iter().filter(|(of, ..)| *of == name) {
            let property = schema["properties"].get_mut(field);
            if let Some(property) = property.filter(|property| property["nullable"] == true) {
                let reference = format!("#/components/schemas/{identifier}");
                *property = json!({
                    "description": property["description"],
                    "oneOf": [{ "$ref": reference }, { "enum": [null] }],
                });
            }
        }
    });
}

/// Removes defaults. Progenitor would send them with each request, so that the service could not
/// change its own.
fn leave_defaults_to_the_service(document: &mut Value) {
    each_value(document, &mut |value| {
        if value.get("type").is_some()
            && let Some(object) = value.as_object_mut()
        {
            object.remove("default");
        }
    });
}

/// Removes conditions between fields: progenitor would generate a type for `not`. The extension
/// crate checks them before anything is sent.
fn leave_conditions_to_the_service(document: &mut Value) {
    each_schema(document, |_, schema| {
        if let Some(object) = schema.as_object_mut() {
            object.remove("not");
        }
    });
}

/// Removes component schemas that no operation uses any more, such as the body of errors.
/// Progenitor would generate public types for them.
fn leave_out_what_is_not_used(document: &mut Value) {
    let mut used = BTreeSet::new();
    collect_references(document, &document["paths"], &mut used);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| used.contains(name));
    }
}

/// Returns the component schemas that responses consist of.
pub(super) fn response_schemas(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for operation in operations(document) {
        for (code, response) in fields(&operation.value["responses"]) {
            if code.starts_with('2') {
                let content = &resolved(document, response)["content"];
                collect_references(document, content, &mut found);
            }
        }
    }
    found
}

/// Returns the component schemas that request bodies consist of.
pub(super) fn request_schemas(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for operation in operations(document) {
        collect_references(document, &operation.value["requestBody"], &mut found);
    }
    found
}

fn collect_references(document: &Value, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = value["$ref"]
                .as_str()
                .and_then(|target| target.strip_prefix("#/components/schemas/"))
                && found.insert(name.to_owned())
            {
                collect_references(document, &document["components"]["schemas"][name], found);
            }
            for (name, value) in object {
                if name != "examples" && name != "example" {
                    collect_references(document, value, found);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                collect_references(document, value, found);
            }
        }
        _ => {}
    }
}

/// Changes each operation. A response that it refers to is copied into it, since another operation may
/// need another change of it.
fn each_operation(document: &mut Value, mut change: impl FnMut(&str, &mut Value)) {
    let components = document["components"].clone();
    let root = json!({ "components": components });
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    for item in paths.values_mut() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let Some(id) = operation["operationId"].as_str().map(str::to_owned) else {
                continue;
            };
            if let Some(responses) = operation["responses"].as_object_mut() {
                for response in responses.values_mut() {
                    *response = resolved(&root, response).clone();
                }
            }
            change(&id, operation);
        }
    }
}

fn each_schema(document: &mut Value, mut change: impl FnMut(&str, &mut Value)) {
    let schemas = document["components"]["schemas"].as_object_mut();
    for (name, schema) in schemas.into_iter().flatten() {
        change(name, schema);
    }
}

/// Changes each object of the document, except in examples, which are data.
fn each_value(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(_) => {
            change(value);
            let Some(object) = value.as_object_mut() else {
                return;
            };
            for (name, value) in object {
                if name != "examples" && name != "example" && name != "x-outcomes" {
                    each_value(value, change);
                }
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| each_value(value, change)),
        _ => {}
    }
}
