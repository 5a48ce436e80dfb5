use std::collections::BTreeSet;

use checksum_mock::ROUTES;
use serde_json::Value;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/checksum.yaml");

#[test]
fn every_operation_has_a_route_and_every_route_an_operation() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let document: Value = serde_saphyr::from_str(&document).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str() {
                operations.insert((id.to_owned(), method.to_uppercase(), path.clone()));
            }
        }
    }
    let route = |route: &checksum_mock::Route| {
        (
            route.operation_id.to_owned(),
            route.method.to_owned(),
            route.path.to_owned(),
        )
    };
    let routes: BTreeSet<_> = ROUTES.iter().map(route).collect();
    assert_eq!(routes, operations);
    assert_eq!(routes.len(), ROUTES.len(), "a route is there twice");
}
