"""Prints what junitparser reads in a JUnit file, in the form of read_reports.cjs.

usage: read_junit.py FILE
"""

import json
import sys

from junitparser import Error, Failure, Skipped, xunit2

STATUS = {Failure: "failed", Error: "error", Skipped: "skipped"}


def read(case: xunit2.TestCase) -> dict[str, object]:
    """Returns one test."""
    result = case.result[0] if case.result else None
    status = STATUS[type(result)] if result else "passed"
    error = result.text if result and status != "skipped" else None
    return {"name": case.name, "status": status, "error": error, "flaky": case.is_flaky}


report = xunit2.JUnitXml.fromfile(sys.argv[1])
print(
    json.dumps(
        {
            "tests": report.tests,
            "failed": report.failures + report.errors,
            "skipped": sum(suite.skipped for suite in report),
            "cases": [read(case) for suite in report for case in suite],
        }
    )
)
