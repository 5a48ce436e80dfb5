use checksum_api::types::{TestId, TestRunId};

use crate::attachment::Attachments;
use crate::call::Effort;
use crate::results::GetResults;
use crate::{Checksum, Error, HtmlReport, StartHealing};

/// A run that has ended, by the id that results and healing use. It is not the job name that the
/// run was started with.
#[derive(Clone, Debug)]
pub struct TestRun {
    client: Checksum,
    id: TestRunId,
}

/// A test in a run that has ended; made by [`TestRun::test`].
#[derive(Clone, Debug)]
pub struct TestInRun {
    client: Checksum,
    run: TestRunId,
    id: TestId,
}

impl TestRun {
    pub(crate) fn new(client: &Checksum, id: TestRunId) -> Self {
        Self {
            client: client.clone(),
            id,
        }
    }

    /// The id.
    pub fn id(&self) -> &TestRunId {
        &self.id
    }

    /// The result of each test. Sent when it is awaited.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let id = report.test_run_id().ok_or("no test run")?.clone();
    /// use checksum_api_ext::types::TestStatus;
    ///
    /// let results = checksum.test_run(id.clone()).results().await?;
    /// for test in results.failed() {
    ///     assert_eq!(test.checksum_test_id.as_str(), "test-def-456");
    ///     assert_eq!(test.error_message.as_deref(), Some("Timeout waiting for selector #pay-button"));
    ///     assert_eq!(test.tags, ["checkout"]);
    /// }
    /// assert_eq!((results.passed().count(), results.failed().count()), (1, 1));
    ///
    /// // The same tests, with the others left out by the service.
    /// let failed = checksum.test_run(id).results().status(TestStatus::Failed).await?;
    /// assert!(failed.tests.iter().eq(results.failed()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] where the service knows no such test run.
    pub fn results(&self) -> GetResults {
        GetResults::new(&self.client, &self.id)
    }

    /// Where the run's HTML report is.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let id = report.test_run_id().ok_or("no test run")?.clone();
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("report.html");
    /// let report = checksum.test_run(id).report().await?;
    /// assert!(report.url().path().ends_with("/report.html"));
    ///
    /// let saved = report.download(&path).await?;
    /// assert_eq!(saved.content_type.as_deref(), Some("text/html; charset=utf-8"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the answer has no address: [`Error::UnexpectedAnswer`].
    pub async fn report(&self) -> Result<HtmlReport, Error> {
        let id = &self.id;
        let answer = self
            .client
            .caller
            .read(Effort::Persistent, || {
                self.client.api().get_test_run_report().id(id).execute()
            })
            .await?;
        HtmlReport::read(&self.client, answer.0)
            .map_err(|error| error.without_key(self.client.api()))
    }

    /// One test of the run. Nothing is sent.
    pub fn test(&self, id: TestId) -> TestInRun {
        TestInRun {
            client: self.client.clone(),
            run: self.id.clone(),
            id,
        }
    }

    /// Heals the run's failures; see [`Checksum::heal`].
    pub fn heal(&self) -> StartHealing {
        StartHealing::new(&self.client, Some(self.id.clone()))
    }
}

impl TestInRun {
    /// The test's id.
    pub fn id(&self) -> &TestId {
        &self.id
    }

    /// What the test left behind: traces, screenshots and videos.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let run_id = report.test_run_id().ok_or("no test run")?.clone();
    /// # let directory = tempfile::tempdir()?;
    /// # let directory = directory.path();
    /// use checksum_api_ext::AttachmentKind;
    ///
    /// let test = checksum.test_run(run_id).test("test-def-456".parse()?);
    /// let attachments = test.attachments().await?;
    /// let kinds: Vec<&str> = attachments.iter().map(|one| one.kind().as_str()).collect();
    /// assert_eq!(kinds, ["trace", "screenshot", "video"]);
    ///
    /// for trace in attachments.of_kind(&AttachmentKind::Trace) {
    ///     let saved = trace.download(directory).await?;
    ///     assert_eq!(saved.path, directory.join("trace.zip"));
    /// }
    ///
    /// let saved = attachments.download_all(directory).max_concurrent(2).await;
    /// assert!(saved.iter().all(|one| one.is_ok()), "one result for each");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the answer can be no list of attachments:
    /// [`Error::UnexpectedAnswer`].
    pub async fn attachments(&self) -> Result<Attachments, Error> {
        let (run, test) = (&self.run, &self.id);
        let answer = self
            .client
            .caller
            .read(Effort::Persistent, || async {
                let client = self.client.api();
                let request = client.get_test_attachments();
                request.run_id(run).test_id(test).execute().await
            })
            .await?;
        Attachments::read(&self.client, answer.0)
            .map_err(|error| error.without_key(self.client.api()))
    }
}
