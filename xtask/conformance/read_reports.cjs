// Prints what junit2json reads in a JUnit file, or what ctrf reads in a CTRF file, which has to be valid.
//
// usage: node read_reports.cjs FILE.xml|FILE.json

const { readFileSync } = require("node:fs");

function ofJunit(report) {
  const read = (test) => {
    const [result] = test.failure ?? test.error ?? [];
    const status = test.failure ? "failed" : test.error ? "error" : test.skipped ? "skipped" : "passed";
    return { name: test.name, status, error: result?.inner ?? null, flaky: Boolean(test.flakyFailure) };
  };
  const { tests, failures, errors, skipped } = report;
  const cases = report.testsuite.flatMap((suite) => suite.testcase ?? []).map(read);
  return { tests, failed: failures + errors, skipped, cases };
}

function ofCtrf({ results: { summary, tests } }) {
  const read = ({ name, status, rawStatus, trace, flaky }) => {
    const own = { failed: rawStatus === "error" ? "error" : "failed", other: "skipped" };
    return { name, status: own[status] ?? status, error: trace ?? null, flaky };
  };
  return { tests: summary.tests, failed: summary.failed, skipped: summary.other, cases: tests.map(read) };
}

async function main(path) {
  const text = readFileSync(path, "utf8");
  if (path.endsWith(".xml")) return ofJunit(await require("junit2json").parse(text));
  const report = JSON.parse(text);
  require("ctrf").validateStrict(report);
  return ofCtrf(report);
}

main(process.argv[2]).then((read) => console.log(JSON.stringify(read)));
