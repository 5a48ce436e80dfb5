use std::path::Path;

use checksum_mock::{Mock, ROUTES};
use serde_json::{Value, json};

use crate::client::{Client, mock, observed_mock};

/// Method, path, operation id and whether the operation is observed, one line for each operation of
/// the document.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/checksum.yaml");
    let document = std::fs::read_to_string(path).expect("the document can be read");
    let document: Value = serde_saphyr::from_str(&document).expect("the document is YAML");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path item").iter();
        methods
            .filter(|(_, operation)| operation["operationId"].is_string())
            .map(move |(method, operation)| {
                let id = operation["operationId"].as_str().unwrap();
                let is_observed = operation["x-provenance"] == "observed";
                line(&method.to_uppercase(), path, id, is_observed)
            })
    });
    operations.collect()
}

fn line(method: &str, path: &str, id: &str, is_observed: bool) -> String {
    let provenance = if is_observed {
        "observed"
    } else {
        "documented"
    };
    format!("{method} {path}: {id}, {provenance}")
}

#[test]
fn the_routes_are_the_operations_of_the_document() {
    let documented = documented();
    let routes: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            line(
                route.method,
                route.path,
                route.operation_id,
                route.is_observed,
            )
        })
        .collect();
    assert!(!documented.is_empty());
    let without = |lines: &[String], others: &[String]| -> Vec<String> {
        let lines = lines.iter().filter(|line| !others.contains(line));
        lines.cloned().collect()
    };
    let missing = without(&documented, &routes);
    assert!(
        missing.is_empty(),
        "add these operations of the document to `ROUTES` in checksum-mock/src/route.rs: {missing:#?}"
    );
    let stale = without(&routes, &documented);
    assert!(
        stale.is_empty(),
        "the document does not have these operations of `ROUTES`: {stale:#?}"
    );
    assert_eq!(routes.len(), documented.len(), "an operation stands twice");
}

/// What a stand-in says to a request for each route: whether it is told apart from a request for a
/// path that no service has.
async fn served(mock: &Mock) -> Vec<&'static str> {
    let client = Client::of(mock);
    let unknown = client.get("/v1/unknown").await.refusal(404);
    let mut served = Vec::new();
    for route in ROUTES {
        let response = match route.method {
            "POST" => client.post(route.path, json!({})).await,
            _ => client.get(route.path).await,
        };
        if response.status != 404 || response.refusal(404) != unknown {
            served.push(route.operation_id);
        }
    }
    served
}

#[tokio::test]
async fn what_is_observed_is_served_on_demand_alone() {
    let ids = |is_wanted: fn(bool) -> bool| -> Vec<_> {
        let routes = ROUTES.iter().filter(|route| is_wanted(route.is_observed));
        routes.map(|route| route.operation_id).collect()
    };
    assert_eq!(served(&mock()).await, ids(|is_observed| !is_observed));
    assert_eq!(served(&observed_mock()).await, ids(|_| true));
    assert_eq!(
        ids(|is_observed| is_observed),
        ["find_affected_tests", "get_run_status_by_run_id"]
    );
    // A method that the path does not take does not betray the path either.
    let client = Client::of(&mock());
    client.get("/v1/affected-tests").await.refusal(404);
    let client = Client::of(&observed_mock());
    client.get("/v1/affected-tests").await.refusal(405);
}

#[tokio::test]
async fn a_request_for_an_observed_operation_is_recorded_as_one_though_it_is_not_served() {
    let mock = mock();
    let client = Client::of(&mock);
    client.get("/v1/execution/status/run/x").await.refusal(404);
    let [request] = mock.requests().try_into().unwrap();
    assert_eq!(request.operation_id, Some("get_run_status_by_run_id"));
}
