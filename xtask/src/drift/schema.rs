//! Derives a strict JSON Schema for a response from the OpenAPI document. The document lets the
//! service send other fields and other values of enumerations; here, they are invalid.

use anyhow::{Context, Result, anyhow};
use checksum_api::OperationId;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::document::Document;

/// The schemas whose prose requires the documented fields once a run has ended.
const RUN_STATUSES: [&str; 2] = ["RunStatus", "RunStatusV2"];

/// Returns whether the prose applies to an outcome, which is a value of `x-outcomes`. We assume that
/// it applies to the other ends too.
fn is_documented(outcome: &str) -> bool {
    matches!(outcome, "passed" | "healed" | "failed")
}

/// The document, and its schemas in their strict form.
pub(super) struct Schemas<'d> {
    document: &'d Document,
    components: Value,
}

/// How the document describes a response.
pub(super) struct Expected {
    /// A strict JSON Schema (2020-12) of the body, with the document's `x-provenance`.
    pub(super) schema: Value,
    pub(super) validator: Validator,
    /// The provenance of each part that has none of its own.
    pub(super) provenance: String,
    /// Whether the document lists the status code.
    pub(super) lists_status: bool,
    /// Whether the document allows plain text.
    pub(super) allows_text: bool,
}

impl<'d> Schemas<'d> {
    pub(super) fn of(document: &'d Document) -> Result<Self> {
        let schemas = document.value()["components"]["schemas"].as_object();
        let mut schemas = schemas.context("the document has no schemas")?.clone();
        for name in RUN_STATUSES {
            let schema = schemas.get_mut(name);
            let schema = schema.with_context(|| format!("the document has no schema {name}"))?;
            require_at_the_end(schema, document);
        }
        schemas.values_mut().for_each(make_strict);
        Ok(Self {
            document,
            components: json!({ "schemas": schemas }),
        })
    }

    /// Returns how the document describes a success with that status code or, if it does not list
    /// the code, the first success that it lists.
    pub(super) fn expected(&self, id: OperationId, status: u16) -> Result<Expected> {
        let mut operations = self.document.operations();
        let operation = operations.find(|operation| operation.id() == id.as_str());
        let operation = operation.with_context(|| format!("the document has no {id}"))?;
        let status = status.to_string();
        let listed = operation.responses().find(|(code, _)| **code == status);
        let success = || {
            operation
                .responses()
                .find(|(code, _)| code.starts_with('2'))
        };
        let (_, response) = listed.or_else(success).context("no success is listed")?;
        let response = self.document.resolve(response);
        let content = &response["content"];
        let mut schema = content["application/json"]["schema"].clone();
        make_strict(&mut schema);
        schema["components"] = self.components.clone();
        let validator = jsonschema::draft202012::new(&schema)
            .map_err(|error| anyhow!("{}", error.masked()))
            .context("the document has a schema that is not valid")?;
        let provenance = provenance(response).or_else(|| provenance(operation.value));
        Ok(Expected {
            schema,
            validator,
            provenance: provenance.unwrap_or("documented").to_owned(),
            lists_status: listed.is_some(),
            allows_text: content.get("text/plain").is_some(),
        })
    }
}

/// Returns the `x-provenance` that a part has of its own.
pub(super) fn provenance(part: &Value) -> Option<&str> {
    part.get("x-provenance")?.as_str()
}

/// Turns a schema of OpenAPI 3.0 into strict JSON Schema. An `allOf` of objects would need
/// `unevaluatedProperties`; the document has none, and its examples would fail.
fn make_strict(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(known) = known_values(schema) {
        schema.remove("anyOf");
        schema.insert("enum".to_owned(), known);
    }
    if schema.contains_key("properties") {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    if schema.get("nullable") == Some(&true.into()) {
        let kinds = json!([schema.get("type"), "null"]);
        schema.insert("type".to_owned(), kinds);
    }
    for (keyword, value) in schema {
        match keyword.as_str() {
            "items" | "additionalProperties" => make_strict(value),
            "properties" => {
                let fields = value.as_object_mut().into_iter().flatten();
                fields.for_each(|(_, field)| make_strict(field));
            }
            "allOf" | "anyOf" => {
                let parts = value.as_array_mut().into_iter().flatten();
                parts.for_each(make_strict);
            }
            _ => {}
        }
    }
}

/// Returns the values that an open enumeration lists beside "any other string".
fn known_values(schema: &Map<String, Value>) -> Option<Value> {
    let choices = schema.get("anyOf")?.as_array()?;
    choices
        .iter()
        .find_map(|choice| choice.get("enum").cloned())
}

/// Requires the documented fields of a status if its run has ended.
fn require_at_the_end(schema: &mut Value, document: &Document) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let documented = properties.filter(|(_, field)| provenance(field).is_none());
    let fields: Vec<&String> = documented.map(|(name, _)| name).collect();
    let outcomes = &document.resolve(&schema["properties"]["status"])["x-outcomes"];
    let rule = |provenance: &str, holds_for: fn(&str) -> bool| {
        let outcomes = outcomes.as_object().into_iter().flatten();
        let ends = outcomes.filter(|(_, outcome)| outcome.as_str().is_some_and(holds_for));
        let states: Vec<&String> = ends.map(|(state, _)| state).collect();
        json!({
            "if": { "required": ["status"], "properties": { "status": { "enum": states } } },
            "then": { "required": fields, "x-provenance": provenance },
        })
    };
    let is_assumed = |outcome: &str| outcome != "pending" && !is_documented(outcome);
    schema["allOf"] = json!([
        rule("documented", is_documented),
        rule("assumed", is_assumed)
    ]);
}
