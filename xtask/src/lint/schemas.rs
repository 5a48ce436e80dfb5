use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rule::Findings;
use crate::diff::without_texts;
use crate::document::{Document, escaped, members, text};

/// Every schema of the document, with its place; `named` for the components themselves.
struct Found<'a> {
    place: String,
    schema: &'a Value,
    named: bool,
}

fn all(document: &Document) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (name, schema) in document.components("schemas") {
        below(
            &format!("#/components/schemas/{name}"),
            schema,
            true,
            &mut found,
        );
    }
    // Error bodies are bytes: they have a rule of their own and no name in Rust.
    for operation in document.operations() {
        let pointer = operation.pointer();
        for (index, parameter) in operation.parameters().enumerate() {
            if let Some(schema) = parameter.get("schema") {
                let place = format!("{pointer}/parameters/{index}/schema");
                below(&place, schema, false, &mut found);
            }
        }
        let body = operation.value.get("requestBody");
        let body = body.map(|body| (format!("{pointer}/requestBody"), body));
        let answers = operation
            .responses()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(status, response)| (format!("{pointer}/responses/{status}"), response));
        for (place, part) in body.into_iter().chain(answers) {
            for (kind, media) in members(document.resolve(part).get("content")) {
                if let Some(schema) = media.get("schema") {
                    let place = format!("{place}/content/{}/schema", escaped(kind));
                    below(&place, schema, false, &mut found);
                }
            }
        }
    }
    found
}

fn below<'a>(place: &str, schema: &'a Value, named: bool, found: &mut Vec<Found<'a>>) {
    found.push(Found {
        place: place.to_owned(),
        schema,
        named,
    });
    for (name, member) in members(schema.get("properties")) {
        below(&format!("{place}/properties/{name}"), member, false, found);
    }
    for keyword in ["items", "additionalProperties", "not"] {
        if let Some(inner @ Value::Object(_)) = schema.get(keyword) {
            below(&format!("{place}/{keyword}"), inner, false, found);
        }
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let list = schema.get(keyword).and_then(Value::as_array);
        for (index, inner) in list.into_iter().flatten().enumerate() {
            below(&format!("{place}/{keyword}/{index}"), inner, false, found);
        }
    }
}

pub(super) fn inline(document: &Document, findings: &mut Findings<'_>) {
    // `{type: string}` alone says too little to be a copy of anything.
    let components: Vec<(&str, Value)> = document
        .components("schemas")
        .map(|(name, schema)| (name, without_texts(schema)))
        .filter(|(_, schema)| schema.as_object().is_some_and(|object| object.len() > 1))
        .collect();
    for Found { place, schema, .. } in all(document).into_iter().filter(|found| !found.named) {
        if schema["type"] == "object" || schema.get("properties").is_some() {
            findings.add(place, "an object belongs into the components");
        } else if schema.get("x-extensible-enum").is_some() {
            findings.add(place, "an enumeration belongs into the components");
        } else {
            let plain = without_texts(schema);
            if let Some((name, _)) = components.iter().find(|(_, other)| *other == plain) {
                findings.add(place, format!("is the component `{name}`, refer to it"));
            }
        }
    }
}

pub(super) fn descriptions(document: &Document, findings: &mut Findings<'_>) {
    for Found {
        place,
        schema,
        named,
    } in all(document)
    {
        if named && text(schema, "description").is_empty() {
            findings.add(&place, "has no description");
        }
        for (name, member) in members(schema.get("properties")) {
            if text(document.resolve(member), "description").is_empty() {
                findings.add(format!("{place}/properties/{name}"), "has no description");
            }
        }
    }
}

pub(super) fn closed_enums(document: &Document, findings: &mut Findings<'_>) {
    for Found { place, schema, .. } in all(document) {
        // Null as the other choice of a reference is a closed list of one, and harmless.
        if schema
            .get("enum")
            .is_some_and(|values| *values != json!([null]))
        {
            findings.add(&place, "list the values under `x-extensible-enum`");
        }
        if schema.get("anyOf").is_some() {
            findings.add(
                &place,
                "`anyOf` becomes a struct that cannot decode a string",
            );
        }
    }
}

pub(super) fn unknown_members(document: &Document, findings: &mut Findings<'_>) {
    let answered = reached(document, false);
    let sent = reached(document, true);
    for Found {
        place,
        schema,
        named,
    } in all(document)
    {
        let additional = schema.get("additionalProperties");
        if matches!(additional, Some(Value::Bool(_))) {
            findings.add(&place, "`additionalProperties` is a schema, if it is there");
        }
        let name = place.rsplit('/').next().unwrap_or_default();
        // What has no members of its own is a map, whose `additionalProperties` are its values.
        if !named || schema.get("properties").is_none() {
            continue;
        }
        if answered.contains(name) && additional != Some(&json!({})) {
            findings.add(
                &place,
                "an answer keeps its unknown members: `additionalProperties: {}`",
            );
        }
        if sent.contains(name) && additional.is_some() {
            findings.add(&place, "a request has no `additionalProperties`");
        }
    }
}

/// The components that requests, or else answers, are made of.
fn reached(document: &Document, requests: bool) -> BTreeSet<&str> {
    fn walk<'a>(document: &'a Document, value: &'a Value, names: &mut BTreeSet<&'a str>) {
        if let Some(name) = value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.strip_prefix("#/components/schemas/"))
            && names.insert(name)
        {
            walk(document, document.resolve(value), names);
        }
        match value {
            Value::Object(object) => object.values().for_each(|v| walk(document, v, names)),
            Value::Array(array) => array.iter().for_each(|v| walk(document, v, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    for operation in document.operations() {
        if requests {
            walk(document, &operation.value["requestBody"], &mut names);
            continue;
        }
        for (_, response) in operation.responses() {
            walk(document, &document.resolve(response)["content"], &mut names);
        }
    }
    names
}

pub(super) fn unsigned(document: &Document, findings: &mut Findings<'_>) {
    for Found { place, schema, .. } in all(document) {
        let unsigned = matches!(text(schema, "format"), "uint32" | "uint64");
        let counts = schema["minimum"]
            .as_i64()
            .is_some_and(|minimum| minimum >= 0);
        if schema["type"] == "integer" && counts != unsigned {
            findings.add(place, "a count has `format: uint64` and a `minimum`, both");
        }
    }
}

pub(super) fn uuids(document: &Document, findings: &mut Findings<'_>) {
    for Found { place, schema, .. } in all(document) {
        if schema["format"] == "uuid" {
            findings.add(place, "an id is any text");
        }
    }
}
