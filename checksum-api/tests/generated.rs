//! What progenitor makes of the document.

use std::collections::BTreeMap;

use checksum_api::{Meaning, OPERATIONS, Operation, OperationId, types};
use serde_json::Value;

fn document() -> Value {
    serde_saphyr::from_str(checksum_api::OPENAPI_YAML).expect("YAML")
}

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
fn every_operation_is_found_by_its_id() {
    for id in OperationId::ALL.iter().copied() {
        let operation = id.operation();
        assert_eq!(operation.id, id);
        assert_eq!(Operation::find(id.as_str()), Some(operation));
        assert_eq!(id.to_string(), id.as_str());
    }
    assert_eq!(OPERATIONS.len(), OperationId::ALL.len());
    assert_eq!(Operation::find("get_nothing"), None);
}

#[test]
fn what_a_state_means_is_the_documents() {
    let meanings = types::RunState::KNOWN.iter().map(types::RunState::meaning);
    assert!(meanings.clone().all(|meaning| meaning.is_some()));
    assert!(
        meanings
            .clone()
            .any(|meaning| meaning == Some(Meaning::Pending))
    );
    let document = document();
    let outcomes = &document["components"]["schemas"]["RunState"]["x-outcomes"];
    for (state, meaning) in types::RunState::KNOWN.iter().zip(meanings) {
        let spelled = format!("{:?}", meaning.expect("a meaning"));
        let outcome = outcomes[state.as_str()].as_str().expect("an outcome");
        assert_eq!(spelled.to_lowercase(), outcome.replace('-', ""), "{state}");
    }
    assert_eq!(types::RunState::from("brand-new").meaning(), None);
}

#[test]
fn the_documentation_of_operations_is_the_documents() {
    let code = include_str!(concat!(env!("OUT_DIR"), "/generated.rs"));
    let document = document();
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
