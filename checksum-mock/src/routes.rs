//! The method, path and handler of each operation.

use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::operations::request::ApiRequest;
use crate::operations::response::{OperationResult, Rejection};
use crate::operations::{bugs, execution, generation, healing, project, results};
use crate::state::State;

pub(crate) struct Route {
    /// The operationId of the API's description.
    pub(crate) operation_id: &'static str,
    pub(crate) method: &'static str,
    /// The path below the base URL, with `{…}` for its parameters.
    path: &'static str,
    /// What the path has before its first parameter: most other paths differ there already.
    literal: &'static str,
    /// Whether only a mock server with [`MockBuilder::observed`](crate::MockBuilder::observed)
    /// serves it.
    pub(crate) is_observed: bool,
    pub(crate) handler: fn(&mut State, &ApiRequest) -> OperationResult,
}

/// Makes a route of each line. A handler has the name of its operation.
macro_rules! routes {
    ($($provenance:ident $method:ident $path:literal => $tag:ident::$operation_id:ident)*) => {
        &[$(Route {
            operation_id: stringify!($operation_id),
            method: stringify!($method),
            path: $path,
            literal: before_first_parameter($path),
            is_observed: routes!(@ $provenance),
            handler: $tag::$operation_id,
        }),*]
    };
    (@ documented) => { false };
    (@ observed) => { true };
}

const fn before_first_parameter(path: &str) -> &str {
    let mut end = 0;
    while end < path.len() && path.as_bytes()[end] != b'{' {
        end += 1;
    }
    path.split_at(end).0
}

/// Every operation, in the order of the API's description.
const ROUTES: &[Route] = routes! {
    documented GET  "/v1/me" => project::get_project
    documented POST "/v1/execution/suite" => execution::run_suite
    documented POST "/v1/execution/collection/{id}" => execution::run_collection
    documented POST "/v1/execution/tests" => execution::run_tests
    observed   POST "/v1/affected-tests" => execution::find_affected_tests
    documented POST "/v2/execution/grep" => execution::run_grep_v2
    documented POST "/v1/execution/grep" => execution::run_grep
    documented GET  "/v1/execution/status/{jobName}" => execution::get_run_status
    documented GET  "/v2/execution/status/{jobName}" => execution::get_run_status_v2
    observed   GET  "/v1/execution/status/run/{runId}" => execution::get_run_status_by_run_id
    documented GET  "/v1/test-runs/{id}/results" => results::get_test_run_results
    documented GET  "/v1/test-runs/{id}/report" => results::get_test_run_report
    documented GET  "/v1/test-runs/{runId}/tests/{testId}/attachments" => results::get_test_attachments
    documented GET  "/v1/test-runs/latest" => results::get_latest_test_run
    documented POST "/v1/auto-heal" => healing::trigger_auto_heal
    documented GET  "/v1/auto-heal/batch/{batchId}" => healing::get_heal_batch
    documented POST "/v1/auto-generate" => generation::trigger_auto_generate
    documented GET  "/v1/auto-generate/batch/{batchId}" => generation::get_generation_batch
    documented GET  "/v1/health-dashboard/bugs" => bugs::list_bugs
};

impl Route {
    pub(crate) fn by_operation(operation_id: &str) -> Option<&'static Self> {
        ROUTES.iter().find(|one| one.operation_id == operation_id)
    }

    /// Returns the operationIds of what a mock server serves.
    pub(crate) fn served_operations(is_observed: bool) -> Vec<&'static str> {
        let served = ROUTES
            .iter()
            .filter(|route| is_observed || !route.is_observed);
        served.map(|route| route.operation_id).collect()
    }

    /// Returns the route of a request, whether or not the mock server serves it.
    pub(crate) fn of_request(method: &str, path: &str) -> Option<&'static Self> {
        let mut routes = ROUTES.iter().filter(|route| route.method == method);
        routes.find(|route| route.matches(path))
    }

    /// Returns the routes of every method that a path has.
    pub(crate) fn with_path(path: &str) -> impl Iterator<Item = &'static Self> {
        ROUTES.iter().filter(move |route| route.matches(path))
    }

    fn matches(&self, path: &str) -> bool {
        let is_match = |(expected, given): (&str, &str)| {
            given == expected || (expected.starts_with('{') && !given.is_empty())
        };
        self.rests(path).is_some_and(|(expected, given)| {
            expected.split('/').count() == given.split('/').count()
                && expected.split('/').zip(given.split('/')).all(is_match)
        })
    }

    /// Returns what this route has after its literal, and what the path has there.
    fn rests<'a>(&self, path: &'a str) -> Option<(&'static str, &'a str)> {
        let given = path.strip_prefix(self.literal)?;
        Some((&self.path[self.literal.len()..], given))
    }

    /// Returns the decoded parameters of a path that matches.
    pub(crate) fn parameters(&self, path: &str) -> Result<Vec<(&'static str, String)>, Rejection> {
        let mut parameters = Vec::new();
        let (expected, given) = self.rests(path).unwrap_or_default();
        for (expected, given) in expected.split('/').zip(given.split('/')) {
            let name = expected.strip_prefix('{').and_then(|n| n.strip_suffix('}'));
            if let Some(name) = name {
                let value = percent_decode_str(given).decode_utf8().map_err(|_| {
                    let message = format!("the path parameter `{name}` is not UTF-8");
                    Rejection::new(StatusCode::BAD_REQUEST, message)
                })?;
                parameters.push((name, value.into_owned()));
            }
        }
        Ok(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/service/routes.rs` proves through the router that no operation is missing.
    #[test]
    fn each_route_is_one_operation_of_the_document() {
        let document = include_str!("../checksum.yaml");
        for route in ROUTES {
            let id = route.operation_id;
            assert!(
                document.contains(&format!("\n      operationId: {id}\n")),
                "{id}"
            );
            assert_eq!(
                ROUTES.iter().filter(|one| one.operation_id == id).count(),
                1,
                "{id}"
            );
        }
    }
}
