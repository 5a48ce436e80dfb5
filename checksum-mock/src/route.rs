use crate::handlers::{self, Handler};

/// One operation that the stand-in serves.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Route {
    /// The document's operationId.
    pub operation_id: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path below the base URL, with `{…}` for its parameters.
    pub path: &'static str,
    /// Whether it is known from the vendor's clients alone, and not documented. Only a stand-in
    /// with [`MockBuilder::observed`](crate::MockBuilder::observed) serves it.
    pub is_observed: bool,
    pub(crate) handler: Handler,
}

const fn route(
    method: &'static str,
    path: &'static str,
    operation_id: &'static str,
    handler: Handler,
) -> Route {
    Route {
        operation_id,
        method,
        path,
        is_observed: false,
        handler,
    }
}

const fn observed(route: Route) -> Route {
    Route {
        is_observed: true,
        ..route
    }
}

/// Every operation, in the order of the document.
pub const ROUTES: &[Route] = &[
    route(
        "GET",
        "/v1/me",
        "get_project",
        handlers::project::get_project,
    ),
    route(
        "POST",
        "/v1/execution/suite",
        "run_suite",
        handlers::execution::run_suite,
    ),
    route(
        "POST",
        "/v1/execution/collection/{id}",
        "run_collection",
        handlers::execution::run_collection,
    ),
    route(
        "POST",
        "/v1/execution/tests",
        "run_tests",
        handlers::execution::run_tests,
    ),
    observed(route(
        "POST",
        "/v1/affected-tests",
        "find_affected_tests",
        handlers::execution::find_affected_tests,
    )),
    route(
        "POST",
        "/v2/execution/grep",
        "run_grep_v2",
        handlers::execution::run_grep_v2,
    ),
    route(
        "POST",
        "/v1/execution/grep",
        "run_grep",
        handlers::execution::run_grep,
    ),
    route(
        "GET",
        "/v1/execution/status/{jobName}",
        "get_run_status",
        handlers::execution::get_run_status,
    ),
    route(
        "GET",
        "/v2/execution/status/{jobName}",
        "get_run_status_v2",
        handlers::execution::get_run_status_v2,
    ),
    observed(route(
        "GET",
        "/v1/execution/status/run/{runId}",
        "get_run_status_by_run_id",
        handlers::execution::get_run_status_by_run_id,
    )),
    route(
        "GET",
        "/v1/test-runs/{id}/results",
        "get_test_run_results",
        handlers::results::get_test_run_results,
    ),
    route(
        "GET",
        "/v1/test-runs/{id}/report",
        "get_test_run_report",
        handlers::results::get_test_run_report,
    ),
    route(
        "GET",
        "/v1/test-runs/{runId}/tests/{testId}/attachments",
        "get_test_attachments",
        handlers::results::get_test_attachments,
    ),
    route(
        "GET",
        "/v1/test-runs/latest",
        "get_latest_test_run",
        handlers::results::get_latest_test_run,
    ),
    route(
        "POST",
        "/v1/auto-heal",
        "trigger_auto_heal",
        handlers::healing::trigger_auto_heal,
    ),
    route(
        "GET",
        "/v1/auto-heal/batch/{batchId}",
        "get_heal_batch",
        handlers::healing::get_heal_batch,
    ),
    route(
        "POST",
        "/v1/auto-generate",
        "trigger_auto_generate",
        handlers::generation::trigger_auto_generate,
    ),
    route(
        "GET",
        "/v1/auto-generate/batch/{batchId}",
        "get_generation_batch",
        handlers::generation::get_generation_batch,
    ),
    route(
        "GET",
        "/v1/health-dashboard/bugs",
        "list_bugs",
        handlers::bugs::list_bugs,
    ),
];

impl Route {
    /// The route that serves a request.
    pub(crate) fn find(method: &str, path: &str) -> Option<&'static Self> {
        ROUTES
            .iter()
            .find(|route| route.method == method && route.matches(path))
    }

    fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let matched = self.path.split('/').all(|expected| {
            given
                .next()
                .is_some_and(|segment| segment == expected || expected.starts_with('{'))
        });
        matched && given.next().is_none()
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} ({} {})",
            self.operation_id, self.method, self.path
        )
    }
}
