use checksum_api::types::{
    self, CollectionId, DispatchedRun, GrepPattern, RunCollectionRequest, RunGrepRequest,
    RunGrepV2Request, RunSuiteRequest, RunTestsRequest, TestId,
};
use serde_json::Value;

use super::auto_heal::named_branch;
use super::{ApiVersion, AutoHeal, Run, RunHandle};
use crate::call::Caller;
use crate::environment::Environment;
use crate::members::Members;
use crate::{Checksum, Error, InvalidRequest};

/// A run about to be started; made by [`Checksum::run_suite`] and its siblings.
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
/// let collection = checksum.run_collection("collection-abc-123".parse()?).start().await?;
/// let tests = checksum.run_tests(["test-abc-123".parse()?, "test-ghi-789".parse()?]).start().await?;
/// let grep = checksum
///     .run_grep("checkout")
///     .branch("feature/preview")
///     .env("BASE_URL", "https://pr-42.preview.example.com")
///     .start()
///     .await?;
///
/// let mut passed = Vec::new();
/// for run in [collection, tests, grep] {
///     let counts = run.await?.counts().unwrap_or_default();
///     passed.push(counts.passed);
/// }
/// assert_eq!(passed, [3, 2, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartRun<S> {
    client: Checksum,
    selection: S,
    auto_heal: Option<AutoHeal>,
    members: Members,
}

/// Every test of the project.
#[derive(Clone, Debug)]
pub struct Suite;

/// Every test of a collection.
#[derive(Clone, Debug)]
pub struct Collection {
    pub(crate) id: CollectionId,
}

/// Tests by their ids.
#[derive(Clone, Debug)]
pub struct Tests {
    pub(crate) ids: Vec<TestId>,
}

/// Tests by their names.
#[derive(Clone, Debug)]
pub struct Grep {
    pub(crate) pattern: String,
    pub(crate) branch: Option<String>,
    pub(crate) env: Environment,
}

/// Tests by their names, by the older route.
#[derive(Clone, Debug)]
pub struct LegacyGrep {
    pub(crate) pattern: String,
}

/// What a run consists of. Implemented by this crate's selections only.
pub trait Selection: sealed::Dispatch {}

impl<S: sealed::Dispatch> Selection for S {}

mod sealed {
    use super::{ApiVersion, Caller, DispatchedRun, Error, types};

    pub trait Dispatch: Sized + Send + Sync {
        /// The version of the route that starts it, whose status route follows it.
        const API_VERSION: ApiVersion;

        fn dispatch(
            self,
            caller: &Caller,
            auto_heal: Option<types::AutoHeal>,
        ) -> impl Future<Output = Result<DispatchedRun, Error>> + Send;
    }

    /// Selections whose route takes `autoHeal`.
    pub trait Healable {}
}

impl sealed::Healable for Suite {}
impl sealed::Healable for Collection {}
impl sealed::Healable for Tests {}
impl sealed::Healable for Grep {}

impl<S: Selection> StartRun<S> {
    pub(crate) fn new(client: &Checksum, selection: S) -> Self {
        Self {
            client: client.clone(),
            selection,
            auto_heal: None,
            members: Members::default(),
        }
    }

    /// A member of the request that the API's description does not know, such as `shardCount`.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name, value);
        self
    }

    /// Asks the service to start the run.
    ///
    /// It is asked once. Only where it certainly did not act on the request, because there was no
    /// connection or because it answered 429, is it asked again.
    ///
    /// # Errors
    ///
    /// - The request would be refused: [`Error::Invalid`]. Nothing was sent.
    /// - The service refused: [`Error::Request`]. Nothing was started.
    /// - The answer did not arrive or cannot be read: [`Error::DispatchUncertain`]. The run may
    ///   have started.
    /// - The answer names no job: [`Error::NoJobName`]. The run was started.
    pub async fn start(self) -> Result<Run, Error> {
        let mut members = self.members;
        let is_healing = self.auto_heal.is_some();
        let auto_heal = match self.auto_heal {
            None => None,
            Some(auto_heal) => {
                let body = auto_heal.body().map_err(Error::Invalid)?;
                if let Some(own) = auto_heal.members.some() {
                    members.insert("autoHeal", own);
                }
                Some(body)
            }
        };
        let caller = self.client.caller.with_members(members);
        let accepted = self.selection.dispatch(&caller, auto_heal).await?;
        let Some(job_name) = accepted.name else {
            return Err(Error::NoJobName {
                test_run_id: accepted.run_id,
            });
        };
        let handle = RunHandle {
            job_name,
            api_version: Some(S::API_VERSION),
            is_pinned: false,
            test_run_id: accepted.run_id,
            is_healing: Some(is_healing),
        };
        Ok(Run::started(&self.client, handle))
    }
}

impl<S: Selection + sealed::Healable> StartRun<S> {
    /// Asks for healing should the run end failed.
    pub fn auto_heal(mut self, auto_heal: AutoHeal) -> Self {
        self.auto_heal = Some(auto_heal);
        self
    }
}

impl StartRun<Grep> {
    /// The branch of the tests' repository that the run checks out.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.selection.branch = Some(branch.into());
        self
    }

    /// An environment variable for this run alone. Values are never printed.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.selection.env.insert(name, value);
        self
    }
}

impl sealed::Dispatch for Suite {
    const API_VERSION: ApiVersion = ApiVersion::V1;

    async fn dispatch(
        self,
        caller: &Caller,
        auto_heal: Option<types::AutoHeal>,
    ) -> Result<DispatchedRun, Error> {
        let body = RunSuiteRequest { auto_heal };
        caller
            .dispatch(body, |client, body| async move {
                client.run_suite().body(body).send().await
            })
            .await
    }
}

impl sealed::Dispatch for Collection {
    const API_VERSION: ApiVersion = ApiVersion::V1;

    async fn dispatch(
        self,
        caller: &Caller,
        auto_heal: Option<types::AutoHeal>,
    ) -> Result<DispatchedRun, Error> {
        let body = RunCollectionRequest { auto_heal };
        caller
            .dispatch((self.id, body), |client, (id, body)| async move {
                client.run_collection().id(id).body(body).send().await
            })
            .await
    }
}

impl sealed::Dispatch for Tests {
    const API_VERSION: ApiVersion = ApiVersion::V1;

    async fn dispatch(
        self,
        caller: &Caller,
        auto_heal: Option<types::AutoHeal>,
    ) -> Result<DispatchedRun, Error> {
        if self.ids.is_empty() {
            return Err(Error::Invalid(InvalidRequest::NoTestIds));
        }
        let body = RunTestsRequest {
            test_ids: self.ids,
            auto_heal,
        };
        caller
            .dispatch(body, |client, body| async move {
                client.run_tests().body(body).send().await
            })
            .await
    }
}

fn grep_pattern(text: &str) -> Result<GrepPattern, Error> {
    text.parse()
        .map_err(|_| Error::Invalid(InvalidRequest::EmptyGrep))
}

impl sealed::Dispatch for Grep {
    const API_VERSION: ApiVersion = ApiVersion::V2;

    async fn dispatch(
        self,
        caller: &Caller,
        auto_heal: Option<types::AutoHeal>,
    ) -> Result<DispatchedRun, Error> {
        named_branch(self.branch.as_deref()).map_err(Error::Invalid)?;
        let body = RunGrepV2Request {
            grep: grep_pattern(&self.pattern)?,
            branch: self.branch,
            env_overrides: self.env.body(),
            auto_heal,
        };
        caller
            .dispatch(body, |client, body| async move {
                client.run_grep_v2().body(body).send().await
            })
            .await
    }
}

impl sealed::Dispatch for LegacyGrep {
    const API_VERSION: ApiVersion = ApiVersion::V1;

    async fn dispatch(
        self,
        caller: &Caller,
        _: Option<types::AutoHeal>,
    ) -> Result<DispatchedRun, Error> {
        let body = RunGrepRequest {
            grep: grep_pattern(&self.pattern)?,
        };
        caller
            .dispatch(body, |client, body| async move {
                client.run_grep().body(body).send().await
            })
            .await
    }
}
