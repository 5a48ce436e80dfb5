//! The document, the generated client and the stand-in describe one API.

use checksum_api::OPERATIONS;
use checksum_mock::ROUTES;

#[test]
fn every_operation_has_a_route_and_every_route_an_operation() {
    let mut operations: Vec<_> = OPERATIONS
        .iter()
        .map(|o| (o.id, o.method, o.path))
        .collect();
    let mut routes: Vec<_> = ROUTES
        .iter()
        .map(|r| (r.operation_id, r.method, r.path))
        .collect();
    operations.sort_unstable();
    routes.sort_unstable();
    assert_eq!(operations.len(), 17);
    assert_eq!(operations, routes);
}
