//! The document, as far as tests read it.

use serde_json::Value;

/// The document of the working tree.
pub fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi/checksum.yaml")).expect("the document")
}

/// The examples of an operation's success, by name, in the order of their names.
pub fn examples(operation: &str) -> Vec<(String, Value)> {
    let document = document();
    let operation = checksum_api::Operation::find(operation).expect("an operation");
    let method = operation.method.to_lowercase();
    let mut response = &document["paths"][operation.path][method]["responses"]["2XX"];
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
