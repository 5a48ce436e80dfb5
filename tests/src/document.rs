//! The document, as far as tests read it.

use checksum_api::OperationId;
use serde_json::Value;

/// The document of the working tree.
pub fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi/checksum.yaml")).expect("the document")
}

/// The examples of an operation's success, by name, in the order of their names.
pub fn examples(operation: OperationId) -> Vec<(String, Value)> {
    let document = document();
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
    let examples = &response["content"]["application/json"]["examples"];
    let examples = examples.as_object().expect("examples");
    examples
        .iter()
        .map(|(name, example)| (name.clone(), example["value"].clone()))
        .collect()
}
