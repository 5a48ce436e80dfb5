//! A run that has ended: its results, HTML report and attachments, and healing of its failures.

mod attachments;
mod html_report;
mod latest;
mod results;
mod web_url;

use checksum_api::types::{TestId, TestRunId, TestStatus};
use url::Url;

pub use attachments::{Attachment, AttachmentKind, Attachments, ListAttachments, TestAttachments};
pub use html_report::HtmlReport;
pub use latest::LatestTestRun;
pub use results::TestRunResults;

use crate::batch::{HealOptions, StartHealing};
use crate::core::{Core, Retry};
use crate::error::Error;

/// A run that has ended, identified by the test run id, which results and healing need. That id is
/// not the job name that the run was started with.
#[derive(Clone, Debug)]
pub struct TestRun {
    core: Core,
    id: TestRunId,
}

impl TestRun {
    pub(crate) fn new(core: &Core, id: TestRunId) -> Self {
        Self {
            core: core.clone(),
            id,
        }
    }

    /// Returns the id.
    pub fn id(&self) -> &TestRunId {
        &self.id
    }

    /// Returns the address of the run's page in the web app; `None` if the id has other characters
    /// than those of the service's ids. Not documented: known from the vendor's client.
    pub fn web_url(&self) -> Option<Url> {
        Self::web_url_of(&self.id)
    }

    /// Returns the [`web_url`](Self::web_url) of the run with this id. It needs no client.
    pub fn web_url_of(id: &TestRunId) -> Option<Url> {
        web_url::web_url(id)
    }

    /// Returns the result of each test.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let id = report.test_run_id().ok_or("no test run")?.clone();
    /// let results = checksum.test_run(id).results().await?;
    /// for test in results.failed() {
    ///     assert_eq!(test.checksum_test_id.as_str(), "test-def-456");
    ///     assert_eq!(test.error_message.as_deref(), Some("Timeout waiting for selector #pay-button"));
    ///     assert_eq!(test.tags, ["checkout"]);
    /// }
    /// assert_eq!((results.passed().count(), results.failed().count()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] if the service knows no such test run.
    pub async fn results(&self) -> Result<TestRunResults, Error> {
        let get = || {
            self.core
                .api()
                .get_test_run_results()
                .id(&self.id)
                .execute()
        };
        let results = self.core.read(Retry::ByPolicy, get).await?;
        Ok(TestRunResults(results))
    }

    /// Returns the results of the tests with this status; the service leaves the others out. The
    /// counts are those of the whole run.
    ///
    /// # Errors
    ///
    /// As for [`results`](Self::results).
    pub async fn results_with_status(&self, status: TestStatus) -> Result<TestRunResults, Error> {
        let get = || {
            let request = self.core.api().get_test_run_results().id(&self.id);
            request.status(&status).execute()
        };
        let results = self.core.read(Retry::ByPolicy, get).await?;
        Ok(TestRunResults(results))
    }

    /// Returns the URL of the run's HTML report.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let id = report.test_run_id().ok_or("no test run")?.clone();
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("report.html");
    /// let report = checksum.test_run(id).report().await?;
    /// assert!(report.url().path().ends_with("/report.html"));
    ///
    /// let file = report.download(&path).await?;
    /// assert_eq!(file.content_type.as_deref(), Some("text/html; charset=utf-8"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the response has no URL:
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse).
    pub async fn report(&self) -> Result<HtmlReport, Error> {
        let request = || self.core.api().get_test_run_report().id(&self.id);
        let get = || request().execute_with_response();
        let (report, response) = self.core.read(Retry::ByPolicy, get).await?;
        HtmlReport::decode(&self.core, report.0)
            .map_err(|error| error.of_response(self.core.api(), &response))
    }

    /// Returns the attachments of a test: traces, screenshots and videos.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let test_run = report.test_run()?;
    /// # let directory = tempfile::tempdir()?;
    /// # let directory = directory.path();
    /// use checksum_api_ext::AttachmentKind;
    ///
    /// let attachments = test_run.attachments("test-def-456".parse()?).await?;
    /// let kinds: Vec<&str> = attachments.iter().map(|one| one.kind().as_str()).collect();
    /// assert_eq!(kinds, ["trace", "screenshot", "video"]);
    ///
    /// for trace in attachments.of_kind(&AttachmentKind::Trace) {
    ///     let file = trace.download(directory).await?;
    ///     assert_eq!(file.path, directory.join("trace.zip"));
    /// }
    ///
    /// let files = attachments.download_all(directory).max_concurrent(2).await;
    /// assert!(files.iter().all(|one| one.is_ok()), "one result for each");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the response cannot be a list of attachments:
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse).
    pub async fn attachments(&self, test_id: TestId) -> Result<Attachments, Error> {
        let get = || {
            let request = self.core.api().get_test_attachments();
            let request = request.run_id(&self.id).test_id(&test_id);
            request.execute_with_response()
        };
        let (list, response) = self.core.read(Retry::ByPolicy, get).await?;
        Attachments::decode(&self.core, list.0)
            .map_err(|error| error.of_response(self.core.api(), &response))
    }

    /// Prepares to list the attachments of several tests, and to download them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// # let report = checksum.run_suite().start().await?.await?;
    /// # let directory = tempfile::tempdir()?;
    /// # let directory = directory.path();
    /// use futures_util::StreamExt;
    ///
    /// let test_run = report.test_run()?;
    /// let results = test_run.results().await?;
    /// let failed = results.failed().map(|test| test.checksum_test_id.clone());
    /// let mut tests = test_run.attachments_of(failed).download_to(directory).into_stream();
    /// while let Some(test) = tests.next().await {
    ///     assert_eq!(test.attachments?.len(), 3);
    ///     for file in test.files {
    ///         assert!(file?.path.starts_with(directory.join("test-def-456")));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn attachments_of(&self, tests: impl IntoIterator<Item = TestId>) -> ListAttachments {
        ListAttachments::new(self.clone(), tests)
    }

    /// Prepares healing of the run's failures; see [`Checksum::heal`](crate::Checksum::heal).
    pub fn heal(&self, options: HealOptions) -> StartHealing {
        StartHealing::new(&self.core, self.id.clone(), options)
    }
}
