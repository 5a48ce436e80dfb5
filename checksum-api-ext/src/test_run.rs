use checksum_api::types::{TestRunId, TestRunResults, TestStatus};

use crate::call::Effort;
use crate::{Checksum, Error};

/// A finished run, by the id that results and healing use. It is not the job name that the run
/// was started with.
#[derive(Clone, Debug)]
pub struct TestRun {
    client: Checksum,
    id: TestRunId,
    status: Option<TestStatus>,
}

impl TestRun {
    pub(crate) fn new(client: &Checksum, id: TestRunId) -> Self {
        Self {
            client: client.clone(),
            id,
            status: None,
        }
    }

    /// The id.
    pub fn id(&self) -> &TestRunId {
        &self.id
    }

    /// Only the tests of that status.
    #[must_use]
    pub fn status(mut self, status: TestStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// The result of each test.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll(checksum_api_ext::PollPolicy::every(std::time::Duration::ZERO))
    /// #     .build()?;
    /// # let report = checksum.run_grep("checkout").start().await?.await?;
    /// # let test_run_id = report.test_run_id().ok_or("no test run")?.clone();
    /// use checksum_api_ext::types::TestStatus;
    ///
    /// let results = checksum.test_run(test_run_id).status(TestStatus::Failed).results().await?;
    /// for test in &results.tests {
    ///     println!("{}: {:?}", test.checksum_test_id, test.error_message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] where the service knows no such test run.
    pub async fn results(&self) -> Result<TestRunResults, Error> {
        let (id, status) = (&self.id, &self.status);
        self.client
            .caller
            .read(Effort::Persistent, |client| async move {
                let request = client.get_test_run_results().id(id);
                match status {
                    None => request.send().await,
                    Some(status) => request.status(status).send().await,
                }
            })
            .await
    }
}
