use serde_json::Value;

use super::rule::Findings;
use crate::document::{Document, escaped, members, text};

pub(super) fn ids(document: &Document, findings: &mut Findings<'_>) {
    for operation in document.operations() {
        let id = operation.id();
        let word = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        };
        if !id.starts_with(|first: char| first.is_ascii_lowercase()) || !id.chars().all(word) {
            let message = format!("`{id}` is not in snake_case");
            findings.add(format!("{}/operationId", operation.pointer()), message);
        }
    }
}

pub(super) fn outcomes(document: &Document, findings: &mut Findings<'_>) {
    for operation in document.operations() {
        let statuses: Vec<&str> = operation.responses().map(|(status, _)| status).collect();
        if statuses != ["2XX", "4XX", "5XX"] {
            let message = format!("2XX, 4XX and 5XX are expected, not {}", statuses.join(", "));
            findings.add(format!("{}/responses", operation.pointer()), message);
        }
    }
}

pub(super) fn errors(document: &Document, findings: &mut Findings<'_>) {
    for operation in document.operations() {
        for (status, response) in operation.responses() {
            if status.starts_with('2') {
                continue;
            }
            let response = document.resolve(response);
            let kinds: Vec<&str> = members(response.get("content"))
                .map(|(kind, _)| kind)
                .collect();
            if kinds != ["*/*"] || response["content"]["*/*"].get("schema").is_some() {
                let place = format!("{}/responses/{status}", operation.pointer());
                findings.add(place, "an error's body is `*/*`, without a schema");
            }
        }
    }
}

pub(super) fn examples(document: &Document, findings: &mut Findings<'_>) {
    for operation in document.operations() {
        let pointer = operation.pointer();
        let body = operation.value.get("requestBody");
        let body = body.map(|body| (format!("{pointer}/requestBody"), body));
        let responses = operation
            .responses()
            .map(|(status, response)| (format!("{pointer}/responses/{status}"), response));
        for (place, part) in body.into_iter().chain(responses) {
            for (kind, media) in members(document.resolve(part).get("content")) {
                if members(media.get("examples")).next().is_none() {
                    let place = format!("{place}/content/{}", escaped(kind));
                    findings.add(place, "`examples` holds none");
                }
            }
        }
        for (index, parameter) in operation.parameters().enumerate() {
            if parameter.get("example").is_none() {
                let message = format!("`{}` has no example", text(parameter, "name"));
                findings.add(format!("{pointer}/parameters/{index}"), message);
            }
        }
    }
}

pub(super) fn path_parameters(document: &Document, findings: &mut Findings<'_>) {
    for (place, parameter) in parameters(document, "path") {
        let schema = document.resolve(&parameter["schema"]);
        let identifier = parameter["schema"].get("$ref").is_some()
            && schema["type"] == "string"
            && schema["minLength"].as_u64() >= Some(1)
            && schema.get("pattern").is_some();
        if !identifier {
            findings.add(
                place,
                "a path parameter refers to a string component with `minLength` and `pattern`",
            );
        }
    }
}

pub(super) fn query_parameters(document: &Document, findings: &mut Findings<'_>) {
    for (place, parameter) in parameters(document, "query") {
        let schema = document.resolve(&parameter["schema"]);
        let schema = match schema["type"].as_str() {
            Some("array") => document.resolve(&schema["items"]),
            _ => schema,
        };
        if !matches!(text(schema, "type"), "string" | "integer" | "boolean") {
            findings.add(
                place,
                "a query parameter is a string, integer or boolean, or a list",
            );
        }
    }
}

pub(super) fn optional_bodies(document: &Document, findings: &mut Findings<'_>) {
    for operation in document.operations() {
        let Some(body) = operation.value.get("requestBody") else {
            continue;
        };
        let body = document.resolve(body);
        if body["required"] == true {
            continue;
        }
        for (_, media) in members(body.get("content")) {
            let schema = document.resolve(&media["schema"]);
            let required = schema["required"].as_array();
            if schema["type"] != "object" || required.is_some_and(|list| !list.is_empty()) {
                let place = format!("{}/requestBody", operation.pointer());
                findings.add(
                    place,
                    "an optional body is an object that requires no member",
                );
            }
        }
    }
}

fn parameters<'a>(
    document: &'a Document,
    location: &'static str,
) -> impl Iterator<Item = (String, &'a Value)> {
    document.operations().flat_map(move |operation| {
        let pointer = operation.pointer();
        operation
            .parameters()
            .enumerate()
            .map(move |(index, parameter)| {
                (
                    format!("{pointer}/parameters/{index}"),
                    document.resolve(parameter),
                )
            })
            .filter(move |(_, parameter)| parameter["in"] == location)
            .collect::<Vec<_>>()
    })
}
