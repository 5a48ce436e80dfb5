//! What the writers write: a run and its tests, whichever way they became known.

use std::fmt::Display;

use checksum_api_ext::{
    Counts, Outcome, RunReport, TestResult, TestRun, TestRunId, TestRunResults, TestStatus, Url,
};

use crate::text;

/// A run and its tests, as the reports show them.
///
/// Every field can be set. The writers make all text safe to show, and shorten what is too long.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What the end of the run means, in one word: that of [`Outcome`], or `unknown`.
    pub outcome: String,
    /// Whether a gate may open.
    pub is_success: bool,
    /// The run's state, as the service names it.
    pub state: Option<String>,
    /// How many tests had which result, as the service counts them.
    pub counts: Option<Counts>,
    /// The branch that was tested.
    pub branch: Option<String>,
    /// The name that the run was started with.
    pub job_name: Option<String>,
    /// The test run's id.
    pub test_run_id: Option<String>,
    /// What there is to know beside the outcome: why the run failed, or what contradicts its pass.
    pub reason: Option<String>,
    /// Why the tests are not known. Such a report shows an error, whatever the outcome.
    pub error: Option<String>,
    /// The tests, in the order of the response.
    pub tests: Vec<Test>,
}

/// One test of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Test {
    /// The test's id.
    pub id: String,
    /// The title. Reports show the id if it is empty.
    pub title: String,
    /// The path of the test's file.
    pub file: Option<String>,
    /// How the test ended.
    pub status: Status,
    /// The error that it failed with. A recovered test may have that of its first attempt.
    pub error: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// How reliable the test is, as the service says.
    pub health: Option<String>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It failed.
    Failed,
    /// It failed because of a bug of the application.
    Bug,
    /// It failed first, and passed when it was repeated.
    Recovered,
    /// A status that this version does not know. It counts neither as passed nor as failed.
    Other(String),
    /// It passed at the first attempt.
    Passed,
}

impl Status {
    /// Returns the status as the service spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Failed => "failed",
            Self::Bug => "bug",
            Self::Recovered => "recovered",
            Self::Other(status) => status,
            Self::Passed => "passed",
        }
    }

    /// Returns whether the test failed, for whatever reason.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Bug)
    }
}

impl Test {
    /// Makes a test without an error, a file, tags and health.
    pub fn new(id: impl Into<String>, title: impl Into<String>, status: Status) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            file: None,
            status,
            error: None,
            tags: Vec::new(),
            health: None,
        }
    }

    /// Returns the title, or the id, safe to show and never empty.
    pub(crate) fn name(&self) -> String {
        let names = [&self.title, &self.id].map(|name| text::line(name));
        let name = names.into_iter().find(|name| !name.is_empty());
        name.unwrap_or_else(|| "(untitled)".to_owned())
    }
}

impl Report {
    /// Makes a report of a run that has ended. Pass [`RunReport::outcome`] or
    /// [`RunReport::strict_outcome`], and why there are no results if they could not be had.
    pub fn new(
        run: &RunReport,
        outcome: &Outcome,
        results: Result<&TestRunResults, &dyn Display>,
    ) -> Self {
        let status = run.status();
        let reason = status.failure_reason().map(str::to_owned);
        let contradiction = || run.contradiction().map(|one| one.to_string());
        let mut report = match results {
            Ok(results) => Self::of_results(results),
            Err(error) => Self::without_results(error),
        };
        report.outcome = outcome.to_string();
        report.is_success = outcome.is_success();
        report.state = Some(run.state().to_string());
        report.counts = run.counts().or(report.counts);
        report.job_name = run.job_name().map(ToString::to_string);
        report.test_run_id = run.test_run_id().map(ToString::to_string);
        report.reason = reason.or_else(contradiction);
        report
    }

    /// Makes a report of the results of a run. Their state alone decides the outcome.
    pub fn of_results(results: &TestRunResults) -> Self {
        let outcome = match Outcome::of_state(&results.state().clone().ignoring_case()) {
            outcome if outcome.is_success() && results.counts() == Some(Counts::default()) => {
                Outcome::NoTests
            }
            outcome => outcome,
        };
        Self {
            is_success: outcome.is_success(),
            outcome: outcome.to_string(),
            state: Some(results.state().to_string()),
            counts: results.counts(),
            branch: results.branch().map(str::to_owned),
            test_run_id: Some(results.id().to_string()),
            tests: results.tests().iter().map(Test::from).collect(),
            ..Self::default()
        }
    }

    /// Makes a report of a run of which nothing but this error is known.
    pub fn without_results(error: impl Display) -> Self {
        Self {
            outcome: "unknown".to_owned(),
            error: Some(error.to_string()),
            ..Self::default()
        }
    }

    /// Replaces each text by what `replace` makes of it, such as one without secrets. Colours and
    /// invisible characters are removed first, since they could hide a secret from `replace`, and
    /// nothing is cut before, since that could leave a part of one.
    #[must_use]
    pub fn map_text(mut self, replace: impl Fn(&str) -> String) -> Self {
        let line = |text: &mut String| *text = replace(&text::clean_line(text));
        let block = |text: &mut String| *text = replace(&text::clean_block(text));
        line(&mut self.outcome);
        let lines = [&mut self.state, &mut self.branch, &mut self.job_name];
        lines.into_iter().flatten().for_each(line);
        self.test_run_id.iter_mut().for_each(line);
        let blocks = [&mut self.reason, &mut self.error];
        blocks.into_iter().flatten().for_each(block);
        for test in &mut self.tests {
            line(&mut test.id);
            line(&mut test.title);
            test.file.iter_mut().chain(&mut test.health).for_each(line);
            test.tags.iter_mut().for_each(line);
            test.error.iter_mut().for_each(block);
            if let Status::Other(status) = &mut test.status {
                line(status);
            }
        }
        self
    }

    /// Returns the address of the run's page in the web app, as [`TestRun::web_url`] does.
    pub fn web_url(&self) -> Option<Url> {
        let id = TestRunId::new(self.test_run_id.as_deref()?).ok()?;
        TestRun::web_url_of(&id)
    }

    /// Returns why the run itself is an error, although no test that the report lists has failed.
    /// Each report then has one test more, so that no reader takes the run for a pass.
    pub fn run_error(&self) -> Option<String> {
        let has_failure = self.tests.iter().any(|test| test.status.is_failure());
        let cause = if let Some(error) = &self.error {
            error.clone()
        } else if self.is_success && self.tests.is_empty() && self.counts != Some(Counts::default())
        {
            "the results list no test".to_owned()
        } else if self.is_success || has_failure {
            return None;
        } else if self.tests.is_empty() {
            "no test ran, or the results list none".to_owned()
        } else {
            "the results list no test that failed".to_owned()
        };
        let reason = self.reason.iter().map(|reason| format!("; {reason}"));
        let reason: String = reason.collect();
        Some(format!(
            "the run's outcome is {}: {cause}{reason}",
            self.outcome
        ))
    }

    /// Returns the tests for people: those that failed first.
    pub(crate) fn by_status(&self) -> Vec<&Test> {
        let mut tests: Vec<&Test> = self.tests.iter().collect();
        tests.sort_by_key(|test| rank(&test.status));
        tests
    }

    /// Returns the number of listed tests with each status that occurs.
    pub(crate) fn listed(&self) -> Vec<(String, usize)> {
        let mut listed: Vec<(String, usize)> = Vec::new();
        for test in self.by_status() {
            match listed.last_mut() {
                Some((status, count)) if status == kind(&test.status) => *count += 1,
                _ => listed.push((kind(&test.status).to_owned(), 1)),
            }
        }
        listed
    }

    /// Returns one sentence with the counts: the service's, or those of the listed tests.
    pub(crate) fn summary(&self) -> String {
        match self.counts {
            Some(counts) => counts.to_string(),
            None if self.tests.is_empty() => "no test is known".to_owned(),
            None => {
                let listed = self.listed().into_iter();
                let listed: Vec<String> = listed.map(|(kind, n)| format!("{n} {kind}")).collect();
                listed.join(", ")
            }
        }
    }
}

/// The order in which reports for people list the tests.
fn rank(status: &Status) -> u8 {
    match status {
        Status::Failed => 0,
        Status::Bug => 1,
        Status::Recovered => 2,
        Status::Other(_) => 3,
        Status::Passed => 4,
    }
}

/// The word for a status; one for all that this version does not know.
pub(crate) fn kind(status: &Status) -> &str {
    match status {
        Status::Other(_) => "other",
        known => known.as_str(),
    }
}

impl From<&TestResult> for Test {
    fn from(result: &TestResult) -> Self {
        let status = match &result.status {
            TestStatus::Passed => Status::Passed,
            TestStatus::Failed => Status::Failed,
            TestStatus::Recovered => Status::Recovered,
            TestStatus::Bug => Status::Bug,
            other => Status::Other(other.to_string()),
        };
        let title = result.test_title.as_deref().unwrap_or_default();
        Self {
            file: result.test_file_path.clone(),
            error: result.error_message.clone(),
            tags: result.tags.clone(),
            health: result.health_status.as_ref().map(ToString::to_string),
            ..Self::new(result.checksum_test_id.as_str(), title, status)
        }
    }
}
