"""Calls operations through the client that OpenAPI Generator makes, which decodes each response.

usage: drive.py BASE_URL OPERATION...

The generated package `openapi_client` has to be on the path. What a response names is used in later
requests, so the operations come in the order of the document.
"""

import sys
from typing import Any, Callable

import openapi_client as api


def calls(client: api.ApiClient) -> dict[str, Callable[[], Any]]:
    """Returns a call for each operation that takes something."""
    execution = api.ExecutionApi(client)
    results = api.ResultsApi(client)
    healing = api.HealingApi(client)
    generation = api.GenerationApi(client)
    dashboard = api.HealthDashboardApi(client)

    named: dict[str, str] = {}
    auto_heal = api.AutoHeal(
        autoCreatePR=True, branch="main", repoName="acme-co/my-tests", prNumber=42
    )

    def started(version: str, run: api.DispatchedRun) -> api.DispatchedRun:
        if run.name is not None:
            named[version] = run.name
        if run.run_id is not None:
            named["run"] = run.run_id
        return run

    def ended(status: api.RunStatusV2) -> api.RunStatusV2:
        assert status.test_run_id is not None
        named["run"] = status.test_run_id
        return status

    def tests(found: api.TestRunResults) -> api.TestRunResults:
        named["test"] = found.tests[0].checksum_test_id
        return found

    def batch(kind: str, started: Any) -> Any:
        named[kind] = started.batch_id
        return started

    return {
        "run_suite": lambda: started(
            "v1", execution.run_suite(api.RunSuiteRequest(autoHeal=auto_heal))
        ),
        "run_collection": lambda: execution.run_collection(
            "collection-abc-123", api.RunCollectionRequest(autoHeal=auto_heal)
        ),
        "run_tests": lambda: execution.run_tests(
            api.RunTestsRequest(testIds=["id1", "id2"], autoHeal=auto_heal)
        ),
        "find_affected_tests": lambda: execution.find_affected_tests(
            api.FindAffectedTestsRequest(changedFiles=["src/cart.ts"])
        ),
        "run_grep_v2": lambda: started(
            "v2",
            execution.run_grep_v2(
                api.RunGrepV2Request(
                    grep="checkout",
                    branch="feature/preview",
                    envOverrides={"BASE_URL": "https://preview.example.com"},
                    autoHeal=auto_heal,
                )
            ),
        ),
        "run_grep": lambda: execution.run_grep(api.RunGrepRequest(grep="checkout")),
        "get_run_status": lambda: execution.get_run_status(named["v1"]),
        "get_run_status_v2": lambda: ended(execution.get_run_status_v2(named["v2"])),
        "get_run_status_by_run_id": lambda: execution.get_run_status_by_run_id(named["run"]),
        "get_test_run_results": lambda: tests(
            results.get_test_run_results(named["run"], status="failed")
        ),
        "get_test_run_report": lambda: results.get_test_run_report(named["run"]),
        "get_test_attachments": lambda: results.get_test_attachments(
            named["run"], named["test"]
        ),
        "trigger_auto_heal": lambda: batch(
            "heal",
            healing.trigger_auto_heal(
                api.HealRequest(
                    testRunId=named["run"],
                    autoCreatePR=True,
                    branch="main",
                    prNumber=42,
                    repoName="acme-co/my-tests",
                    metadata={"by": "drive"},
                )
            ),
        ),
        "get_heal_batch": lambda: healing.get_heal_batch(named["heal"]),
        "trigger_auto_generate": lambda: batch(
            "generation",
            generation.trigger_auto_generate(
                api.GenerateRequest(
                    prNumber=42,
                    repoName="acme-co/webapp",
                    branch="feature/checkout-redesign",
                    envOverrides={"BASE_URL": "https://preview.example.com"},
                )
            ),
        ),
        "get_generation_batch": lambda: generation.get_generation_batch(named["generation"]),
        "list_bugs": lambda: dashboard.list_bugs(
            status="confirmed",
            severity="critical",
            search="pay",
            limit=20,
            offset=0,
            tags=["smoke", "checkout"],
            project="project-abc-123",
            collection_name="Checkout",
        ),
    }


def plain(client: api.ApiClient, operation: str) -> Callable[[], Any]:
    """Returns the call of an operation that takes nothing."""
    groups = [group for name, group in vars(api).items() if name.endswith("Api")]
    for group in groups:
        if hasattr(group, operation):
            return getattr(group(client), operation)  # type: ignore[no-any-return]
    sys.exit(f"the generated client has no {operation}")


def main() -> None:
    """Calls each wanted operation, and ends with an error at the first that fails."""
    _, base_url, *wanted = sys.argv
    configuration = api.Configuration(host=base_url, access_token="conformance-key")
    client = api.ApiClient(configuration)
    known = calls(client)
    for operation in wanted:
        call = known.get(operation) or plain(client, operation)
        try:
            response = call()
        except ValueError as error:
            sys.exit(f"xtask/conformance/drive.py has to give {operation} what it takes: {error}")
        if response is None:
            sys.exit(f"{operation}: the response is empty")
        print(operation, flush=True)


main()
