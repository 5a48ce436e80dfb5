//! JUnit XML, which CI systems read. The elements are those that Maven's Surefire writes.

use std::io;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::report::{Report, Status, Test};
use crate::text::{block, line};

/// The name of the suite, and of the case that stands for the run itself.
const NAME: &str = "checksum";

impl Report {
    /// Writes JUnit XML: one suite with a case for each test.
    ///
    /// A recovered test is a passed case with a `flakyFailure`, a bug a failure of the type `bug`,
    /// a test with a status that this version does not know a skipped case. No case has a `time`,
    /// which the service does not give.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn write_junit(&self, writer: impl io::Write) -> io::Result<()> {
        let url = self.web_url().map(String::from);
        let mut suite = TestSuite::new(NAME);
        let properties = [
            ("outcome", Some(&self.outcome)),
            ("state", self.state.as_ref()),
            ("branch", self.branch.as_ref()),
            ("jobName", self.job_name.as_ref()),
            ("testRunId", self.test_run_id.as_ref()),
            ("url", url.as_ref()),
        ];
        for (name, value) in properties {
            if let Some(value) = value {
                suite.add_property((name.to_owned(), line(value)));
            }
        }
        if let Some(error) = self.run_error() {
            let status = non_success(NonSuccessKind::Error, &self.outcome, Some(&error));
            let mut case = TestCase::new("Checksum run", status);
            case.set_classname(NAME);
            suite.add_test_case(case);
        }
        suite.add_test_cases(self.tests.iter().map(case));
        let mut report = quick_junit::Report::new(NAME);
        report.add_test_suite(suite);
        report.serialize(writer).map_err(io::Error::other)
    }
}

fn case(test: &Test) -> TestCase {
    let error = test.error.as_deref();
    let status = match &test.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Recovered => {
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_type("recovered");
            rerun.set_message(error.map_or_else(|| "it failed at first".to_owned(), first_line));
            if let Some(error) = error {
                rerun.set_description(block(error));
            }
            let mut status = TestCaseStatus::success();
            status.add_rerun(rerun);
            status
        }
        Status::Failed | Status::Bug => {
            non_success(NonSuccessKind::Failure, test.status.as_str(), error)
        }
        Status::Other(other) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("its status is {}", line(other)));
            status
        }
    };
    let mut case = TestCase::new(test.name(), status);
    case.set_classname(test.file.as_deref().map_or_else(|| NAME.to_owned(), line));
    if let Some(file) = &test.file {
        case.extra.insert("file".into(), line(file).into());
    }
    case.add_property(("id".to_owned(), line(&test.id)));
    if let Some(health) = &test.health {
        case.add_property(("health".to_owned(), line(health)));
    }
    let tags = test.tags.iter();
    case.add_properties(tags.map(|tag| ("tag".to_owned(), line(tag))));
    case
}

fn non_success(kind: NonSuccessKind, ty: &str, error: Option<&str>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(line(ty));
    status.set_message(error.map_or_else(|| "no error message".to_owned(), first_line));
    if let Some(error) = error {
        status.set_description(block(error));
    }
    status
}

fn first_line(error: &str) -> String {
    line(block(error).trim_start().lines().next().unwrap_or_default())
}
