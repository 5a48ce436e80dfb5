//! Each operation of the API's description is served, the observed ones only if that is wanted.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Server, observed_server, server};

struct Operation {
    id: String,
    method: String,
    path: String,
    is_observed: bool,
}

fn documented() -> Vec<Operation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("checksum.yaml");
    let document = std::fs::read_to_string(path).expect("the document can be read");
    let document: Value = serde_saphyr::from_str(&document).expect("the document is YAML");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path item").iter();
        methods.filter_map(move |(method, operation)| {
            Some(Operation {
                id: operation["operationId"].as_str()?.to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                is_observed: operation["x-provenance"] == "observed",
            })
        })
    });
    operations.collect()
}

/// Asserts which operations respond otherwise than a path that does not exist, and that each of
/// them is recorded with its operationId.
async fn assert_serves(server: &Server, is_wanted: impl Fn(&Operation) -> bool) {
    let unknown = server.get("/v1/unknown").await.rejection(404);
    let operations = documented();
    assert!(!operations.is_empty());
    for operation in &operations {
        let response = match &*operation.method {
            "POST" => server.post(&operation.path, json!({})).await,
            _ => server.get(&operation.path).await,
        };
        let is_served = response.status != 404 || response.rejection(404) != unknown;
        let id = &operation.id;
        assert_eq!(is_served, is_wanted(operation), "{id} in src/routes.rs");
        let requests = server.requests();
        let recorded = requests.last().and_then(|request| request.operation_id);
        assert_eq!(recorded, Some(&**id));
    }
}

#[tokio::test]
async fn every_operation_of_the_document_is_served() {
    assert_serves(&observed_server(), |_| true).await;
}

#[tokio::test]
async fn observed_operations_are_served_only_on_demand() {
    assert_serves(&server(), |operation| !operation.is_observed).await;
    let operations = documented().into_iter();
    let observed: Vec<_> = operations
        .filter(|operation| operation.is_observed)
        .map(|operation| operation.id)
        .collect();
    assert_eq!(
        observed,
        ["find_affected_tests", "get_run_status_by_run_id"]
    );
}

#[tokio::test]
async fn a_wrong_method_does_not_reveal_an_observed_path() {
    let path = "/v1/affected-tests";
    server().get(path).await.rejection(404);
    observed_server().get(path).await.rejection(405);
}
