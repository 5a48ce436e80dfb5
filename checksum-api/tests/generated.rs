//! What progenitor makes of the document.

use std::collections::BTreeMap;

use checksum_api::{OperationId, types};
use serde_json::Value;

/// The members of an object of the document.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[test]
fn maps_are_ordered() {
    let overrides = BTreeMap::from([
        ("B".to_owned(), "2".to_owned()),
        ("A".to_owned(), "1".into()),
    ]);
    let json = serde_json::to_string(&types::EnvOverrides(overrides)).expect("JSON");
    assert_eq!(json, r#"{"A":"1","B":"2"}"#);
}

#[test]
fn the_documentation_of_operations_is_the_documents() {
    let code = include_str!(concat!(env!("OUT_DIR"), "/generated.rs"));
    let yaml = std::fs::read_to_string("checksum.yaml").expect("the document");
    let document: Value = serde_saphyr::from_str(&yaml).expect("YAML");
    let mut operations = 0;
    for (_, item) in members(&document["paths"]) {
        for (_, operation) in members(item) {
            operations += 1;
            let mut texts = vec![&operation["summary"], &operation["description"]];
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            texts.extend(parameters.map(|parameter| &parameter["description"]));
            for text in texts {
                let text = text.as_str().expect("a text").trim();
                assert!(code.contains(text), "{}: {text}", operation["operationId"]);
            }
        }
    }
    assert_eq!(operations, OperationId::ALL.len());
}
