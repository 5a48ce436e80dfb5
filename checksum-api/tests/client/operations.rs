//! The table of the operations and the meanings of states, against the document.

use checksum_api::{Meaning, OPERATIONS, Operation, OperationId, types};
use serde_json::Value;

fn document() -> Value {
    serde_saphyr::from_str(checksum_api::OPENAPI_YAML).expect("YAML")
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
fn meanings_of_states_are_those_of_the_document() {
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
