use checksum_api::types::{BatchId, CollectionId, Project, RepoName, TestId, TestRunId};

use crate::batch::{Batch, BatchHandle, Generation, Heal};
use crate::bug::ListBugs;

use crate::batch::{StartGeneration, StartHealing};
use crate::core::{Core, Retry};
use crate::environment::Environment;
use crate::error::Error;
use crate::latest::LatestTestRun;
use crate::run::affected;
use crate::run::{Collection, Grep, LegacyGrep, Run, RunHandle, StartRun, Suite, Tests};
use crate::test_run::TestRun;
use crate::watch::{Handle, WatchSet};

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
/// assert_eq!(checksum.project().await?.name, "My Project");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Checksum {
    pub(crate) core: Core,
}

impl Checksum {
    pub(crate) fn new(core: Core) -> Self {
        Self { core }
    }

    /// The raw client, for what this one does not offer.
    pub fn api(&self) -> &checksum_api::Client {
        self.core.api()
    }

    /// The project that the API key belongs to.
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_refused`] says whether because of the key.
    pub async fn project(&self) -> Result<Project, Error> {
        self.core
            .read(Retry::ByPolicy, || self.api().get_project().execute())
            .await
    }

    /// Runs every test of the project, or those of [some suites](StartRun::suites).
    pub fn run_suite(&self) -> StartRun<Suite> {
        StartRun::new(&self.core, Suite { ids: Vec::new() })
    }

    /// Runs every test of a collection.
    pub fn run_collection(&self, id: CollectionId) -> StartRun<Collection> {
        StartRun::new(&self.core, Collection { id })
    }

    /// Runs the named tests. Without any, starting is refused before a request is sent.
    pub fn run_tests(&self, ids: impl IntoIterator<Item = TestId>) -> StartRun<Tests> {
        StartRun::new(
            &self.core,
            Tests {
                ids: ids.into_iter().collect(),
            },
        )
    }

    /// Runs the tests whose name contains the pattern or matches it as a regular expression.
    pub fn run_grep(&self, pattern: impl Into<String>) -> StartRun<Grep> {
        StartRun::new(
            &self.core,
            Grep {
                pattern: pattern.into(),
                branch: None,
                env: Environment::default(),
                shards: None,
            },
        )
    }

    /// [`run_grep`](Self::run_grep) by the older route, which takes the pattern alone.
    #[deprecated = "the service keeps this route for old integrations; use `run_grep`"]
    pub fn run_grep_v1(&self, pattern: impl Into<String>) -> StartRun<LegacyGrep> {
        StartRun::new(
            &self.core,
            LegacyGrep {
                pattern: pattern.into(),
            },
        )
    }

    /// Takes up a run that was started earlier, here or elsewhere. Nothing is sent.
    ///
    /// A bare [`JobName`] or [`TestRunId`] does too: `checksum.resume_run(job_name)`.
    pub fn resume_run(&self, handle: impl Into<RunHandle>) -> Run {
        Run::resume(&self.core, handle.into())
    }

    /// Watches many runs and batches by one stream, with a back-off that they share. More can be
    /// added and some removed while it goes.
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
    /// use checksum_api_ext::{Event, Handle};
    ///
    /// let first = checksum.run_suite().start().await?;
    /// let second = checksum.run_grep("checkout").start().await?;
    ///
    /// let mut all = checksum.watch([Handle::from(&first)]);
    /// all.insert(&second);
    /// let mut ends = Vec::new();
    /// while let Some((handle, event)) = all.next().await {
    ///     match event {
    ///         Ok(Event::Finished(report)) => ends.push(format!("{handle}: {}", report.is_success())),
    ///         Ok(_) => {}
    ///         Err(error) => ends.push(format!("{handle}: {error}")), // this one alone
    ///     }
    ///     let _to_store = serde_json::to_string(&all.iter().collect::<Vec<_>>())?;
    /// }
    /// ends.sort();
    /// assert_eq!(ends, ["run:job-name-12345: true", "run:job-name-12346: true"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, handles: impl IntoIterator<Item = Handle>) -> WatchSet {
        WatchSet::new(&self.core, handles)
    }

    /// A run that has ended: its results, report and attachments. Nothing is sent.
    pub fn test_run(&self, id: TestRunId) -> TestRun {
        TestRun::new(&self.core, id)
    }

    /// The project's most recent run, which need not be the one that the caller started: for a run
    /// of one's own, [`RunReport::test_run_id`](crate::RunReport::test_run_id) is the one to use.
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
    /// # checksum.run_suite().start().await?.await?;
    /// let latest = checksum.latest_test_run().await?;
    /// let results = checksum.test_run(latest.id().clone()).results().await?;
    /// assert_eq!(results.id, *latest.id());
    /// assert_eq!(results.status.as_str(), "passed");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the answer names no run: [`Error::UnexpectedAnswer`].
    pub async fn latest_test_run(&self) -> Result<LatestTestRun, Error> {
        let answer = self
            .core
            .read(Retry::ByPolicy, || {
                self.api().get_latest_test_run().execute()
            })
            .await?;
        LatestTestRun::read(answer.0).map_err(|error| error.without_key(self.api()))
    }

    /// Sets agents to work on the failures of a run that has ended.
    ///
    /// Each start makes another batch. A run that was started with [`AutoHeal`](crate::AutoHeal)
    /// needs none.
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
    /// # let report = checksum.run_suite().start().await?.await?;
    /// # let test_run_id = report.test_run_id().ok_or("no test run")?.clone();
    /// let batch = checksum
    ///     .heal(test_run_id)
    ///     .pull_request("acme-co/my-tests".parse()?)
    ///     .branch("main")
    ///     .pr(42)
    ///     .metadata("context", "post-deploy healing")
    ///     .start()
    ///     .await?;
    /// assert_eq!(batch.failure_count(), Some(1));
    ///
    /// let healed = batch.await?;
    /// assert!(healed.is_success());
    /// let pull_requests: Vec<&str> = healed.pull_requests().collect();
    /// assert_eq!(pull_requests, ["https://github.com/acme-co/my-tests/pull/43"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn heal(&self, test_run_id: TestRunId) -> StartHealing {
        StartHealing::new(&self.core, Some(test_run_id))
    }

    /// Sets an agent to write tests for a pull request: the repository that hosts it,
    /// `owner/repo`, its number from 1, and its own branch, whose changes the agent reads.
    ///
    /// Each start makes another batch.
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
    /// let batch = checksum
    ///     .generate("acme-co/webapp".parse()?, 42, "feature/checkout-redesign")
    ///     .env("BASE_URL", "https://preview.example.com/pr-42/")
    ///     .metadata("triggeredBy", "release-bot")
    ///     .start()
    ///     .await?;
    /// assert_eq!(batch.session_url(), Some("https://app.checksum.ai/#/sessions/sess-1"));
    ///
    /// let generated = batch.await?;
    /// let pull_requests: Vec<&str> = generated.pull_requests().collect();
    /// assert_eq!(pull_requests, ["https://github.com/acme-co/my-tests/pull/43"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn generate(&self, repo: RepoName, pr: u64, branch: impl Into<String>) -> StartGeneration {
        StartGeneration::new(&self.core, repo, pr, branch.into())
    }

    /// The bugs that runs have uncovered.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .build()?;
    /// use checksum_api_ext::{Bug, TryStreamExt};
    /// use checksum_api_ext::types::{BugSeverity, BugStatus};
    ///
    /// let page = checksum
    ///     .bugs()
    ///     .status(BugStatus::Confirmed)
    ///     .severity(BugSeverity::Critical)
    ///     .tag("checkout")
    ///     .first_page()
    ///     .await?;
    /// assert_eq!(page.bugs[0].title.as_deref(), Some("The pay button never becomes active"));
    ///
    /// // All of them, two in a request.
    /// let bugs: Vec<Bug> = checksum.bugs().limit(2).stream().try_collect().await?;
    /// assert_eq!(bugs.len(), 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bugs(&self) -> ListBugs {
        ListBugs::new(&self.core)
    }

    /// Takes up a healing batch by its id. Nothing is sent.
    pub fn heal_batch(&self, id: BatchId) -> Batch<Heal> {
        self.resume_heal_batch(id.into())
    }

    /// Resumes a healing batch from [`Batch::handle`]. Nothing is sent.
    pub fn resume_heal_batch(&self, handle: BatchHandle) -> Batch<Heal> {
        Batch::new(&self.core, handle)
    }

    /// Takes up a generation batch by its id. Nothing is sent.
    pub fn generation_batch(&self, id: BatchId) -> Batch<Generation> {
        self.resume_generation_batch(id.into())
    }

    /// Resumes a generation batch from [`Batch::handle`]. Nothing is sent.
    pub fn resume_generation_batch(&self, handle: BatchHandle) -> Batch<Generation> {
        Batch::new(&self.core, handle)
    }

    /// Finds the tests that a change may affect, from the paths of the files that changed: relative
    /// to the root of the repository, as `git diff --name-only` prints them. The ids are sorted.
    ///
    /// This operation is not documented: it is known from the vendor's own client, and a service may
    /// not have it. More than 1,000 files are sent in several requests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::builder().observed().start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .build()?;
    /// let affected = checksum.affected_tests(["src/checkout.ts"]).await?;
    /// assert!(!affected.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] where the service does not have the operation.
    pub async fn affected_tests(
        &self,
        changed_files: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<TestId>, Error> {
        affected::affected_tests(&self.core, changed_files).await
    }

    /// Prepares a run of the tests that a change may affect; see
    /// [`affected_tests`](Self::affected_tests). `None` if no test is affected, so that there is
    /// nothing to run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::builder().observed().start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// match checksum.run_affected(["src/checkout.ts"]).await? {
    ///     None => println!("no test is affected"),
    ///     Some(run) => {
    ///         let report = run.branch("feature/checkout").start().await?.await?;
    ///         assert!(report.outcome().is_success());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`affected_tests`](Self::affected_tests). Nothing was started.
    pub async fn run_affected(
        &self,
        changed_files: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Option<StartRun<Grep>>, Error> {
        let affected = self.affected_tests(changed_files).await?;
        Ok(affected::pattern(&affected).map(|pattern| self.run_grep(pattern)))
    }
}
