//! The Common Test Report Format (<https://ctrf.io>), version 0.0.0 of its specification: the part of
//! its model that a remote run can fill. Nothing but the last function knows Checksum.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::report::{Report, Status as TestStatus, Test as RunTest};
use crate::text::{block, line};

/// A report of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ctrf {
    /// Always `CTRF`.
    pub report_format: &'static str,
    /// The version of the specification.
    pub spec_version: &'static str,
    /// The program that wrote the report.
    pub generated_by: String,
    /// The run.
    pub results: Results,
}

/// The run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Results {
    /// What ran the tests.
    pub tool: Tool,
    /// The counts.
    pub summary: Summary,
    /// The tests.
    pub tests: Vec<Test>,
    /// Where the tests ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What the specification has no field for.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// What ran the tests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
}

/// The counts, and the times in milliseconds since 1970, 0 if they are not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// All tests.
    pub tests: usize,
    /// Tests that passed, those that are flaky too.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were skipped.
    pub skipped: usize,
    /// Tests that did not run yet.
    pub pending: usize,
    /// Tests with any other status.
    pub other: usize,
    /// Tests that passed after a failure.
    pub flaky: usize,
    /// When the run started.
    pub start: u64,
    /// When the run ended.
    pub stop: u64,
    /// What the specification has no field for.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// The id by which the test is known across runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_id: Option<String>,
    /// The title, which is not empty.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// How long it took, in milliseconds, 0 if that is not known.
    pub duration: u64,
    /// The first line of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The whole error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The status as the tool names it.
    pub raw_status: String,
    /// The tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The path of the test's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// Whether it passed after a failure.
    pub flaky: bool,
    /// What the specification has no field for.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped.
    Skipped,
    /// It did not run yet.
    Pending,
    /// Anything else.
    Other,
}

/// Where the tests ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The branch that was tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_name: Option<String>,
}

impl Ctrf {
    /// Makes a report of these tests, and counts them. No time is known.
    pub fn new(tool: &str, generated_by: &str, tests: Vec<Test>) -> Self {
        let count = |status| tests.iter().filter(|test| test.status == status).count();
        let summary = Summary {
            tests: tests.len(),
            passed: count(Status::Passed),
            failed: count(Status::Failed),
            skipped: count(Status::Skipped),
            pending: count(Status::Pending),
            other: count(Status::Other),
            flaky: tests.iter().filter(|test| test.flaky).count(),
            ..Summary::default()
        };
        Self {
            report_format: "CTRF",
            spec_version: "0.0.0",
            generated_by: generated_by.to_owned(),
            results: Results {
                tool: Tool {
                    name: tool.to_owned(),
                },
                summary,
                tests,
                environment: None,
                extra: Map::new(),
            },
        }
    }

    /// Writes the report as JSON.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn write(&self, writer: impl io::Write) -> io::Result<()> {
        serde_json::to_writer(writer, self).map_err(io::Error::from)
    }
}

impl Report {
    /// Returns the run in the Common Test Report Format. The service gives no times: durations are 0,
    /// and `durationKnown` in `extra` is false.
    pub fn ctrf(&self) -> Ctrf {
        let error = self.run_error();
        let error = error.iter().map(|error| Test {
            test_id: None,
            extra: duration_unknown(),
            ..test(
                "Checksum run".to_owned(),
                Status::Failed,
                "error",
                Some(error),
            )
        });
        let tests = error.chain(self.tests.iter().map(of_test)).collect();
        let generator = concat!("checksum-report ", env!("CARGO_PKG_VERSION"));
        let mut ctrf = Ctrf::new("checksum", generator, tests);
        ctrf.results.summary.extra = duration_unknown();
        ctrf.results.environment = self.branch.as_deref().map(|branch| Environment {
            branch_name: Some(line(branch)),
        });
        let url = self.web_url().map(String::from);
        let extra = &mut ctrf.results.extra;
        extra.insert("outcome".to_owned(), line(&self.outcome).into());
        for (name, value) in [
            ("state", self.state.as_ref()),
            ("jobName", self.job_name.as_ref()),
            ("testRunId", self.test_run_id.as_ref()),
            ("url", url.as_ref()),
        ] {
            extra.extend(value.map(|value| (name.to_owned(), line(value).into())));
        }
        ctrf
    }
}

fn of_test(run_test: &RunTest) -> Test {
    let status = match run_test.status {
        TestStatus::Passed | TestStatus::Recovered => Status::Passed,
        TestStatus::Failed | TestStatus::Bug => Status::Failed,
        TestStatus::Other(_) => Status::Other,
    };
    let raw_status = run_test.status.as_str();
    let mut extra = duration_unknown();
    if let Some(health) = &run_test.health {
        extra.insert("health".to_owned(), line(health).into());
    }
    Test {
        test_id: Some(line(&run_test.id)).filter(|id| !id.is_empty()),
        tags: run_test.tags.iter().map(|tag| line(tag)).collect(),
        file_path: run_test.file.as_deref().map(line),
        flaky: run_test.status == TestStatus::Recovered,
        extra,
        ..test(
            run_test.name(),
            status,
            raw_status,
            run_test.error.as_deref(),
        )
    }
}

fn test(name: String, status: Status, raw_status: &str, error: Option<&str>) -> Test {
    let error = error.map(block);
    Test {
        test_id: None,
        name,
        status,
        duration: 0,
        message: error
            .as_deref()
            .and_then(|error| error.lines().next())
            .map(line),
        trace: error,
        raw_status: line(raw_status),
        tags: Vec::new(),
        file_path: None,
        flaky: false,
        extra: Map::new(),
    }
}

fn duration_unknown() -> Map<String, Value> {
    Map::from_iter([("durationKnown".to_owned(), json!(false))])
}
