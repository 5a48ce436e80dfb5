//! The document, as far as tests read it.

use checksum_api::OperationId;
use serde_json::Value;

/// The document of the working tree.
pub fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi/checksum.yaml")).expect("the document")
}

/// The examples of an operation's success, by name, in the order of their names.
pub fn examples(operation: OperationId) -> Vec<(String, Value)> {
    let (_, examples) = success(&document(), operation);
    examples
}

/// The same with each example as the client encodes it again.
pub fn examples_and_encoded(operation: OperationId) -> Vec<(String, Value, Value)> {
    let document = document();
    let (schema, examples) = success(&document, operation);
    examples
        .into_iter()
        .map(|(name, example)| {
            let encoded = encoded(&document, &schema, &example);
            (name, example, encoded)
        })
        .collect()
}

/// An example as it is encoded after it was decoded: to the client, a field that may be missing is
/// missing where it is null.
pub fn encoded(document: &Value, schema: &str, example: &Value) -> Value {
    let mut encoded = example.clone();
    let component = document.pointer(schema.trim_start_matches('#'));
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

fn success(document: &Value, operation: OperationId) -> (String, Vec<(String, Value)>) {
    let operation = operation.operation();
    let method = operation.method.to_lowercase();
    let responses = &document["paths"][operation.path][method]["responses"];
    let (_, mut response) = responses
        .as_object()
        .expect("responses")
        .iter()
        .find(|(code, _)| code.starts_with('2'))
        .expect("a success");
    if let Some(reference) = response["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        response = document.pointer(pointer).expect("a response");
    }
    let media = &response["content"]["application/json"];
    let examples = media["examples"].as_object().expect("examples");
    let examples = examples
        .iter()
        .map(|(name, example)| (name.clone(), example["value"].clone()));
    let schema = media["schema"]["$ref"].as_str().expect("a component");
    (schema.to_owned(), examples.collect())
}
