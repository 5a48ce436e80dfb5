//! The client, with one method for each feature.

use checksum_api::types::{CollectionId, PrNumber, Project, RepoName, SuiteId, TestId, TestRunId};

use crate::batch::{
    BatchHandle, GenerationBatch, HealBatch, HealOptions, StartGeneration, StartHealing,
};
use crate::bugs::ListBugs;
use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::PollPolicy;
use crate::run::{Grep, Run, RunHandle, Selection, StartRun, affected};
use crate::test_run::{LatestTestRun, TestRun};
use crate::watch::{Handle, WatchSet};

/// The client. Cheap to clone; clones share one connection pool and one limit on polls and retries.
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

    /// Returns the raw client, for what this one does not offer.
    pub fn raw(&self) -> &checksum_api::Client {
        self.core.api()
    }

    /// Returns a client that uses this poll policy, and shares everything else with this one.
    #[must_use]
    pub fn with_poll_policy(&self, policy: PollPolicy) -> Self {
        Self::new(self.core.with_poll_policy(policy))
    }

    /// Returns the project that the API key belongs to.
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_unauthorized`] says whether because of the key.
    pub async fn project(&self) -> Result<Project, Error> {
        let get = || self.core.api().get_project().execute();
        self.core.read(Retry::ByPolicy, get).await
    }

    /// Prepares a run of this selection. [`run_suite`](Self::run_suite) and the methods after it
    /// are shortcuts for one kind of selection each.
    pub fn run(&self, selection: impl Into<Selection>) -> StartRun {
        StartRun::new(&self.core, selection.into())
    }

    /// Prepares a run of every test of the project.
    pub fn run_suite(&self) -> StartRun {
        self.run(Selection::Suite)
    }

    /// Prepares a run of every test of these suites. Starting it without any id is an error.
    ///
    /// This field of the request is not documented: it is known from the vendor's own client.
    pub fn run_suites(&self, ids: impl IntoIterator<Item = SuiteId>) -> StartRun {
        self.run(Selection::Suites(ids.into_iter().collect()))
    }

    /// Prepares a run of every test of a collection.
    pub fn run_collection(&self, id: CollectionId) -> StartRun {
        self.run(Selection::Collection(id))
    }

    /// Prepares a run of the tests with these ids. Starting it without any id is an error.
    pub fn run_tests(&self, ids: impl IntoIterator<Item = TestId>) -> StartRun {
        self.run(Selection::Tests(ids.into_iter().collect()))
    }

    /// Prepares a run of the tests whose name contains a pattern or matches it as a regular
    /// expression: `run_grep("checkout")`, or a [`Grep`] with a branch and environment variables.
    pub fn run_grep(&self, grep: impl Into<Grep>) -> StartRun {
        self.run(grep.into())
    }

    /// Finds the tests that a change may affect, from the paths of the files that changed: relative
    /// to the root of the repository, as `git diff --name-only` prints them. Returns sorted ids.
    ///
    /// This operation is not documented: it is known from the vendor's own client, and a service
    /// may not have it. More than 1,000 files are sent in several requests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::builder().observed().start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
    /// #     .build()?;
    /// use checksum_api_ext::Grep;
    ///
    /// let affected = checksum.affected_tests(["src/checkout.ts"]).await?;
    /// match Grep::of_tests(&affected) {
    ///     None => println!("no test is affected"),
    ///     Some(grep) => {
    ///         let report = checksum.run_grep(grep.branch("feature/checkout")).start().await?.await?;
    ///         assert!(report.is_success());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] if the service does not have the operation.
    pub async fn affected_tests(
        &self,
        changed_files: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<TestId>, Error> {
        affected::affected_tests(&self.core, changed_files).await
    }

    /// Resumes a run that was started earlier, by this process or another. Nothing is sent.
    ///
    /// It takes a [`RunHandle`], a [`JobName`](crate::JobName) or a [`TestRunId`].
    pub fn resume_run(&self, handle: impl Into<RunHandle>) -> Run {
        Run::new(&self.core, handle.into())
    }

    /// Resumes a healing batch, by its handle or its [`BatchId`](crate::BatchId). Nothing is sent.
    pub fn resume_heal_batch(&self, handle: impl Into<BatchHandle>) -> HealBatch {
        HealBatch::resume(&self.core, handle.into())
    }

    /// Resumes a generation batch, by its handle or its [`BatchId`](crate::BatchId). Nothing is
    /// sent.
    pub fn resume_generation_batch(&self, handle: impl Into<BatchHandle>) -> GenerationBatch {
        GenerationBatch::resume(&self.core, handle.into())
    }

    /// Watches many runs and batches by one stream, with a shared backoff. Runs and batches can be
    /// added and removed while the stream is read.
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

    /// Returns a run that has ended, for its results, HTML report and attachments. Nothing is sent.
    pub fn test_run(&self, id: TestRunId) -> TestRun {
        TestRun::new(&self.core, id)
    }

    /// Returns the project's most recent run, which need not be the one that the caller started.
    /// For that one, use [`RunReport::test_run`](crate::RunReport::test_run).
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
    /// # checksum.run_suite().start().await?.await?;
    /// let latest = checksum.latest_test_run().await?;
    /// let results = latest.test_run().results().await?;
    /// assert_eq!(results.id(), latest.id());
    /// assert_eq!(results.state().as_str(), "passed");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed, or the response names no run:
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse).
    pub async fn latest_test_run(&self) -> Result<LatestTestRun, Error> {
        let get = || {
            self.core
                .api()
                .get_latest_test_run()
                .execute_with_response()
        };
        let (latest, response) = self.core.read(Retry::ByPolicy, get).await?;
        LatestTestRun::decode(&self.core, latest.0)
            .map_err(|error| error.of_response(self.core.api(), &response))
    }

    /// Prepares healing of the failures of a run that has ended. Each start creates another batch.
    ///
    /// A run that was started with [`StartRun::auto_heal`] does not need it.
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
    /// # let test_run_id = report.test_run_id().ok_or("no test run")?.clone();
    /// use checksum_api_ext::{HealOptions, PrNumber};
    ///
    /// let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?)
    ///     .target_branch("main")
    ///     .report_to(PrNumber::new(42)?);
    /// let batch = checksum.heal(test_run_id, options).start().await?;
    /// assert_eq!(batch.failure_count(), Some(1));
    ///
    /// let healed = batch.await?;
    /// assert!(healed.is_success());
    /// let pull_requests: Vec<&str> = healed.pull_requests().collect();
    /// assert_eq!(pull_requests, ["https://github.com/acme-co/my-tests/pull/43"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn heal(&self, test_run_id: TestRunId, options: HealOptions) -> StartHealing {
        StartHealing::new(&self.core, test_run_id, options)
    }

    /// Prepares generation of tests for a pull request: the repository that hosts it, as
    /// `owner/name`, its number, and its own branch, whose changes the agent reads. Each start
    /// creates another batch.
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
    /// use checksum_api_ext::PrNumber;
    ///
    /// let batch = checksum
    ///     .generate("acme-co/webapp".parse()?, PrNumber::new(42)?, "feature/checkout-redesign")
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
    pub fn generate(
        &self,
        repo: RepoName,
        pull_request: PrNumber,
        branch: impl Into<String>,
    ) -> StartGeneration {
        StartGeneration::new(&self.core, repo, pull_request, branch.into())
    }

    /// Prepares a list of the bugs that runs have found.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .build()?;
    /// use checksum_api_ext::{BugSeverity, BugStatus};
    ///
    /// let page = checksum
    ///     .bugs()
    ///     .status(BugStatus::Confirmed)
    ///     .severity(BugSeverity::Critical)
    ///     .tag("checkout")
    ///     .page()
    ///     .await?;
    /// assert_eq!(page.bugs[0].title.as_deref(), Some("The pay button never becomes active"));
    ///
    /// let mut bugs = checksum.bugs().page_size(2).into_stream();
    /// let mut count = 0;
    /// while let Some(bug) = bugs.next().await {
    ///     println!("{}", bug?.title.unwrap_or_default());
    ///     count += 1;
    /// }
    /// assert_eq!(count, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bugs(&self) -> ListBugs {
        ListBugs::new(&self.core)
    }
}
