use std::collections::BTreeMap;
use std::sync::Arc;

use checksum_api::types::{BatchId, CollectionId, JobName, Project, TestId, TestRunId};

use crate::batch::{Batch, Generation, Heal};
use crate::call::{Caller, Effort};
use crate::run::{Collection, Grep, LegacyGrep, Run, RunHandle, StartRun, Suite, Tests};
use crate::{ChecksumBuilder, ConfigurationError, Error, PollPolicy, TestRun};

/// The client. Cheap to clone; clones share one connection pool.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().await?;
/// # let (key, url) = ("my-key", mock.url());
/// use checksum_api_ext::{ApiKey, Checksum};
///
/// let checksum = Checksum::builder().api_key(ApiKey::new(key)?).base_url(url.parse()?).build()?;
/// println!("{}", checksum.project().await?.name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Checksum {
    pub(crate) caller: Caller,
    pub(crate) poll: Arc<PollPolicy>,
}

impl Checksum {
    /// Starts with nothing set; [`ChecksumBuilder::api_key`] is the one setting that is needed.
    pub fn builder() -> ChecksumBuilder {
        ChecksumBuilder::default()
    }

    /// Builds a client from `CHECKSUM_API_KEY` and, where it is set, `CHECKSUM_API_BASE_URL`.
    ///
    /// # Errors
    ///
    /// The key is missing, or one of the two cannot be used; the message says which and why.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        Self::builder().key_from_env()?.base_url_from_env()?.build()
    }

    /// The raw client, for what this one does not offer.
    pub fn api(&self) -> &checksum_api::Client {
        self.caller.api()
    }

    /// The project that the API key belongs to.
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_refused`] says whether because of the key.
    pub async fn project(&self) -> Result<Project, Error> {
        self.caller
            .read(Effort::Persistent, |client| async move {
                client.get_project().send().await
            })
            .await
    }

    /// Runs every test of the project.
    pub fn run_suite(&self) -> StartRun<Suite> {
        StartRun::new(self, Suite)
    }

    /// Runs every test of a collection.
    pub fn run_collection(&self, id: CollectionId) -> StartRun<Collection> {
        StartRun::new(self, Collection { id })
    }

    /// Runs the named tests. Without any, starting is refused before a request is sent.
    pub fn run_tests(&self, ids: impl IntoIterator<Item = TestId>) -> StartRun<Tests> {
        StartRun::new(
            self,
            Tests {
                ids: ids.into_iter().collect(),
            },
        )
    }

    /// Runs the tests whose name contains the pattern or matches it as a regular expression.
    pub fn run_grep(&self, pattern: impl Into<String>) -> StartRun<Grep> {
        StartRun::new(
            self,
            Grep {
                pattern: pattern.into(),
                branch: None,
                env: BTreeMap::new(),
            },
        )
    }

    /// [`run_grep`](Self::run_grep) by the older route, which takes the pattern alone.
    #[deprecated = "the service keeps this route for old integrations; use `run_grep`"]
    pub fn run_grep_v1(&self, pattern: impl Into<String>) -> StartRun<LegacyGrep> {
        StartRun::new(
            self,
            LegacyGrep {
                pattern: pattern.into(),
            },
        )
    }

    /// Takes up a run that was started earlier, here or elsewhere. Nothing is sent.
    ///
    /// A bare [`JobName`] does too: `checksum.resume(job_name)`.
    pub fn resume(&self, handle: impl Into<RunHandle>) -> Run {
        Run::resumed(self, handle.into())
    }

    /// The results of a finished run.
    pub fn test_run(&self, id: TestRunId) -> TestRun {
        TestRun::new(self, id)
    }

    /// Takes up a healing batch. Nothing is sent.
    pub fn heal_batch(&self, id: BatchId) -> Batch<Heal> {
        Batch::new(self, id)
    }

    /// Takes up a generation batch. Nothing is sent.
    pub fn generation_batch(&self, id: BatchId) -> Batch<Generation> {
        Batch::new(self, id)
    }
}

impl From<JobName> for RunHandle {
    fn from(job_name: JobName) -> Self {
        Self::new(job_name)
    }
}
