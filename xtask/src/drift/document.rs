//! What the OpenAPI document says about a response, as a strict JSON Schema.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How well a part of the document is known: its `x-provenance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provenance {
    /// The service's description spells it out.
    #[default]
    Documented,
    /// The description names it and does not show its shape.
    Mentioned,
    /// The vendor's own clients use it.
    Observed,
    /// Nobody says so.
    Assumed,
}

/// An OpenAPI 3.0 document. The openings that it leaves for other languages are closed in the
/// schemas that are derived from it: a field or a known value that it does not list is invalid.
pub(super) struct Document {
    root: Value,
    /// A strict schema for each component.
    definitions: Value,
}

/// What the document says about a successful response to an operation.
pub(super) struct Response {
    /// The provenance of the response, for each part that has none of its own.
    pub(super) provenance: Provenance,
    /// A strict JSON Schema of the body. It keeps the words `x-provenance` of the document.
    pub(super) schema: Value,
    /// Whether the document lists the status code.
    pub(super) lists_status: bool,
    /// Whether the document allows the URL in the body to be plain text.
    pub(super) allows_text: bool,
}

impl Provenance {
    /// Returns what a part says about itself. An unknown word counts as documented, since that is
    /// the strictest; the lint finds it.
    pub(super) fn of(part: &Value) -> Option<Self> {
        Some(match part.get("x-provenance")?.as_str() {
            Some("mentioned") => Self::Mentioned,
            Some("observed") => Self::Observed,
            Some("assumed") => Self::Assumed,
            _ => Self::Documented,
        })
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Documented => "documented",
            Self::Mentioned => "mentioned",
            Self::Observed => "observed",
            Self::Assumed => "assumed",
        })
    }
}

impl Document {
    /// Reads a document from YAML.
    pub(super) fn parse(yaml: &str) -> Result<Self> {
        let root: Value = serde_saphyr::from_str(yaml).context("the document is not YAML")?;
        let components = root.pointer("/components/schemas");
        let components = components.and_then(Value::as_object).into_iter().flatten();
        let definitions = components.map(|(name, schema)| (name.clone(), strict(schema, &root)));
        let definitions = Value::Object(definitions.collect());
        Ok(Self { root, definitions })
    }

    /// Returns what the document says about a success of an operation with that status code. If it
    /// does not list the code, the first success that it lists stands in. `None` if the document
    /// does not have the operation.
    pub(super) fn response(&self, operation_id: &str, status: u16) -> Option<Response> {
        let mut operations = self.operations();
        let operation = operations.find(|operation| operation["operationId"] == operation_id)?;
        let responses = &operation["responses"];
        let listed = responses.get(status.to_string());
        let success = || {
            let mut responses = responses.as_object().into_iter().flatten();
            let success = responses.find(|(code, _)| code.starts_with('2'));
            success.map_or(&Value::Null, |(_, response)| response)
        };
        let response = target(&self.root, listed.unwrap_or_else(success));
        let content = &response["content"];
        let mut schema = match content["application/json"].get("schema") {
            Some(schema) => strict(schema, &self.root),
            None => json!({}),
        };
        schema["$defs"] = self.definitions.clone();
        Some(Response {
            provenance: Provenance::of(response)
                .or_else(|| Provenance::of(operation))
                .unwrap_or_default(),
            schema,
            lists_status: listed.is_some(),
            allows_text: content.get("text/plain").is_some(),
        })
    }

    fn operations(&self) -> impl Iterator<Item = &Value> {
        let paths = self.root["paths"].as_object().into_iter().flatten();
        let items = paths.filter_map(|(_, item)| item.as_object());
        items.flat_map(|item| item.values())
    }
}

/// Follows `$ref` to a part of the same document.
fn target<'v>(root: &'v Value, part: &'v Value) -> &'v Value {
    let pointer = part["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix('#'));
    pointer.map_or(part, |pointer| {
        root.pointer(pointer).unwrap_or(&Value::Null)
    })
}

/// Derives a strict JSON Schema (2020-12) from a schema of OpenAPI 3.0.
fn strict(schema: &Value, root: &Value) -> Value {
    let mut node = Map::new();
    let is_nullable = schema["nullable"] == true;
    let choices = schema.get("anyOf").or_else(|| schema.get("oneOf"));
    if let Some(reference) = schema["$ref"].as_str() {
        let reference = reference.replace("#/components/schemas/", "#/$defs/");
        node.insert("$ref".to_owned(), reference.into());
    } else if let Some(parts) = schema["allOf"].as_array() {
        match &parts[..] {
            [part] if schema.get("properties").is_none() => {
                node.insert("allOf".to_owned(), json!([strict(part, root)]));
            }
            _ => return strict(&merged(schema, parts, root), root),
        }
    } else if let Some(words) = choices.and_then(known_values) {
        node.insert("type".to_owned(), "string".into());
        node.insert("enum".to_owned(), words.clone());
    } else if let Some(choices) = choices.and_then(Value::as_array) {
        let choices = choices.iter().map(|choice| strict(choice, root));
        node.insert("anyOf".to_owned(), choices.collect());
    } else {
        for keyword in [
            "type",
            "enum",
            "minimum",
            "minLength",
            "pattern",
            "required",
        ] {
            if let Some(value) = schema.get(keyword) {
                node.insert(keyword.to_owned(), value.clone());
            }
        }
        if let Some(items) = schema.get("items") {
            node.insert("items".to_owned(), strict(items, root));
        }
        close(schema, root, &mut node);
    }
    if let Some(Value::Array(words)) = node.get_mut("enum").filter(|_| is_nullable) {
        words.push(Value::Null);
    }
    match node.get("type") {
        _ if !is_nullable => {}
        Some(kind) => {
            let kinds = json!([kind, "null"]);
            node.insert("type".to_owned(), kinds);
        }
        None => node = Map::from_iter([("anyOf".to_owned(), json!([node, { "type": "null" }]))]),
    }
    if let Some(provenance) = schema.get("x-provenance") {
        node.insert("x-provenance".to_owned(), provenance.clone());
    }
    Value::Object(node)
}

/// Closes an object that lists its fields: the document leaves all of them open.
fn close(schema: &Value, root: &Value, node: &mut Map<String, Value>) {
    let others = schema.get("additionalProperties");
    let typed = others.filter(|others| others.as_object().is_some_and(|o| !o.is_empty()));
    if let Some(others) = typed {
        node.insert("additionalProperties".to_owned(), strict(others, root));
    }
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    let strict_properties = properties.iter();
    let strict_properties =
        strict_properties.map(|(name, field)| (name.clone(), strict(field, root)));
    node.insert("properties".to_owned(), strict_properties.collect());
    node.entry("additionalProperties")
        .or_insert(Value::Bool(false));
    let rules = at_the_end(schema, properties, root);
    if !rules.is_empty() {
        node.insert("allOf".to_owned(), rules.into());
    }
}

/// Returns rules for the status of a run that has ended. The document says in words that the counts
/// and the test run id are present then: a documented field that is optional until the end is
/// required after it. If the run failed to work or was cancelled, nobody says which are present.
fn at_the_end(schema: &Value, properties: &Map<String, Value>, root: &Value) -> Vec<Value> {
    let is_documented =
        |part: &Value| Provenance::of(part).unwrap_or_default() == Provenance::Documented;
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let late = properties.iter();
    let late =
        late.filter(|(name, field)| is_documented(field) && !required.contains(&json!(name)));
    let late: Vec<&String> = late.map(|(name, _)| name).collect();
    let state = properties
        .get("status")
        .map_or(&Value::Null, |s| target(root, s));
    let outcomes = state["x-outcomes"].as_object();
    let outcomes = outcomes.filter(|outcomes| outcomes.values().any(|outcome| outcome == "passed"));
    let (Some(outcomes), false) = (outcomes, late.is_empty() || !is_documented(schema)) else {
        return Vec::new();
    };
    let rule = |has_counts: bool| {
        let states = outcomes
            .iter()
            .filter(|(_, outcome)| match outcome.as_str() {
                Some("passed" | "healed" | "failed") => has_counts,
                outcome => !has_counts && outcome != Some("pending"),
            });
        let states: Vec<&String> = states.map(|(state, _)| state).collect();
        let provenance = if has_counts { "documented" } else { "assumed" };
        json!({
            "if": { "required": ["status"], "properties": { "status": { "enum": states } } },
            "then": { "required": late, "x-provenance": provenance },
        })
    };
    vec![rule(true), rule(false)]
}

/// Returns the words of an open enumeration: a choice of known values and any other string.
fn known_values(choices: &Value) -> Option<&Value> {
    let choices = choices.as_array()?;
    let is_string = |choice: &&Value| choice["type"] == "string";
    let is_open = choices
        .iter()
        .any(|c| c.get("enum").is_none() && is_string(&c));
    let known = choices.iter().find_map(|choice| choice.get("enum"));
    known.filter(|_| is_open && choices.iter().all(|choice| is_string(&choice)))
}

/// Returns one object with the fields of all parts of an `allOf`.
fn merged(schema: &Value, parts: &[Value], root: &Value) -> Value {
    let mut whole = schema.clone();
    let mut fields = Map::new();
    let mut required = Vec::new();
    let own = schema.get("properties").is_some().then_some(schema);
    for part in parts.iter().map(|part| target(root, part)).chain(own) {
        let nested = part["allOf"].as_array();
        let nested = nested.filter(|_| !std::ptr::eq(part, schema));
        let part = nested.map_or_else(|| part.clone(), |parts| merged(part, parts, root));
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            let mut field = field.clone();
            if let (None, Some(own)) = (field.get("x-provenance"), part.get("x-provenance")) {
                field["x-provenance"] = own.clone();
            }
            fields.insert(name.clone(), field);
        }
        required.extend(part["required"].as_array().into_iter().flatten().cloned());
    }
    let object = whole.as_object_mut();
    object.and_then(|object| object.remove("allOf"));
    whole["type"] = "object".into();
    whole["properties"] = fields.into();
    whole["required"] = required.into();
    whole
}
