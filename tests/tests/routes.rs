//! Compares the routes of the mock server with the operations of the document.

use std::collections::BTreeSet;

use checksum_api::OPERATIONS;
use checksum_mock::ROUTES;

#[test]
fn every_operation_has_a_route_and_every_route_an_operation() {
    let operations = OPERATIONS
        .iter()
        .map(|one| format!("{} ({} {})", one.id, one.method, one.path));
    let operations: BTreeSet<String> = operations.collect();
    let routes = ROUTES
        .iter()
        .map(|one| format!("{} ({} {})", one.operation_id, one.method, one.path));
    let routes: BTreeSet<String> = routes.collect();
    let missing = [
        ("checksum-mock has no route for", &operations - &routes),
        (
            "openapi/checksum.yaml has no operation for",
            &routes - &operations,
        ),
    ];
    let missing: Vec<String> = missing
        .iter()
        .flat_map(|(what, names)| names.iter().map(move |name| format!("{what} {name}")))
        .collect();
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    // Two rows that are equal would count once.
    assert_eq!(ROUTES.len(), OPERATIONS.len());
}
