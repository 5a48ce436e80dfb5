//! The OpenAPI document and its examples.

use std::sync::LazyLock;

use checksum_api::OperationId;
use serde_json::Value;

/// Returns the document of the working tree.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        serde_saphyr::from_str(include_str!("../../openapi/checksum.yaml")).expect("the document")
    });
    &DOCUMENT
}

/// Returns the examples of an operation's success, by name, in the order of their names.
pub fn examples(operation: OperationId) -> Vec<(String, Value)> {
    let examples = success(operation)["examples"]
        .as_object()
        .expect("examples");
    let examples = examples.iter();
    examples
        .map(|(name, example)| (name.clone(), example["value"].clone()))
        .collect()
}

/// Returns the reference to the component that describes an operation's success.
pub fn schema(operation: OperationId) -> &'static str {
    success(operation)["schema"]["$ref"]
        .as_str()
        .expect("a component")
}

/// Returns an example as it is encoded after it was decoded: without the fields that are null and
/// may be missing, which are the same to the client.
pub fn encoded(schema: &str, example: &Value) -> Value {
    let mut encoded = example.clone();
    let component = document().pointer(schema.trim_start_matches('#'));
    let component = component.unwrap_or_else(|| panic!("no {schema}"));
    let required = component["required"].as_array();
    if let Some(fields) = encoded.as_object_mut() {
        fields.retain(|name, value| {
            let mut required = required.into_iter().flatten();
            !value.is_null() || required.any(|required| required == name)
        });
    }
    encoded
}

fn success(operation: OperationId) -> &'static Value {
    let operation = operation.operation();
    let method = operation.method.to_lowercase();
    let responses = &document()["paths"][operation.path][method]["responses"];
    let mut responses = responses.as_object().expect("responses").iter();
    let (_, mut response) = responses
        .find(|(code, _)| code.starts_with('2'))
        .expect("a success");
    if let Some(reference) = response["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        response = document().pointer(pointer).expect("a response");
    }
    &response["content"]["application/json"]
}
