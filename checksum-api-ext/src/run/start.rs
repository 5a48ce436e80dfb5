use std::sync::{Arc, OnceLock};
use std::time::Duration;

use checksum_api::OperationId;
use checksum_api::types::{
    self, CollectionId, DispatchedRun, GrepPattern, RunCollectionRequest, RunGrepRequest,
    RunGrepV2Request, RunSuiteRequest, RunTestsRequest, SuiteId, TestId,
};
use serde::Serialize;
use serde_json::Value;

use super::auto_heal::named_branch;
use super::{ApiVersion, AutoHeal, Identity, Run, RunHandle};
use crate::core::Core;
use crate::environment::Environment;
use crate::error::Error;
use crate::intent::Intent;
use crate::intent::secrets_of;
use crate::members::Members;
use crate::timestamp;

/// A run about to be started; made by [`Checksum::run_suite`] and its siblings.
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
    core: Core,
    selection: S,
    auto_heal: Option<AutoHeal>,
    members: Members,
}

/// Every test of the project, or of some of its suites.
#[derive(Clone, Debug)]
pub struct Suite {
    pub(crate) ids: Vec<SuiteId>,
}

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
    pub(crate) shards: Option<u64>,
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
    use super::{ApiVersion, Core, DispatchedRun, Duration, Error, OperationId, Serialize, types};

    pub trait Dispatch: Sized + Send + Sync {
        /// The operation that starts it.
        const OPERATION: OperationId;

        /// The version of the route that starts it, whose status route follows it.
        const API_VERSION: ApiVersion;

        /// What the request consists of.
        type Request: Clone + Serialize + Send;

        /// Makes the request, or says why the service would refuse it.
        fn request(&self, auto_heal: Option<types::AutoHeal>) -> Result<Self::Request, Error>;

        fn dispatch(
            core: &Core,
            time_limit: Option<Duration>,
            request: Self::Request,
        ) -> impl Future<Output = Result<DispatchedRun, Error>> + Send;
    }
}

/// A selection whose operation can heal what fails: all but [`LegacyGrep`].
pub trait Healable: Selection {}

impl Healable for Suite {}
impl Healable for Collection {}
impl Healable for Tests {}
impl Healable for Grep {}

impl<S: Selection> StartRun<S> {
    pub(crate) fn new(core: &Core, selection: S) -> Self {
        Self {
            core: core.clone(),
            selection,
            auto_heal: None,
            members: Members::default(),
        }
    }

    /// A field of the request that the document does not have. A field that the request has already
    /// is replaced; objects are merged.
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name, value);
        self
    }

    /// Returns what to store before [`start`](Self::start), so that a crash in between does not lose
    /// the knowledge that the run may have started.
    ///
    /// # Errors
    ///
    /// The request would be refused: [`Error::Invalid`].
    pub fn intent(&self) -> Result<Intent, Error> {
        let (request, members) = self.request()?;
        Ok(Intent::new(S::OPERATION, &request, &members))
    }

    fn request(&self) -> Result<(S::Request, Members), Error> {
        let mut members = self.members.clone();
        let auto_heal = match &self.auto_heal {
            None => None,
            Some(auto_heal) => {
                let body = auto_heal.body()?;
                if let Some(own) = auto_heal.members.clone().some() {
                    members.insert("autoHeal", own);
                }
                Some(body)
            }
        };
        Ok((self.selection.request(auto_heal)?, members))
    }

    /// Asks the service to start the run.
    ///
    /// It is asked once. Only where it certainly did not act on the request, because there was no
    /// connection or because it answered 429, is it asked again.
    ///
    /// # Errors
    ///
    /// [`Error::started`] says of each of them whether the run has started.
    ///
    /// - The request would be refused: [`Error::Invalid`]. Nothing was sent.
    /// - The service refused: [`Error::Request`]. Nothing was started.
    /// - The answer did not arrive or cannot be read: [`Error::DispatchUncertain`]. The run may
    ///   have started.
    /// - The response has neither a job name nor a test run id: [`Error::Unidentified`]. The run may
    ///   have started.
    pub async fn start(self) -> Result<Run, Error> {
        let auto_heal = self.auto_heal.is_some() || self.members.0.contains_key("autoHeal");
        let (request, members) = self.request()?;
        let response = Arc::new(OnceLock::new());
        let kept = Arc::clone(&response);
        let secrets = secrets_of(S::OPERATION, &request);
        let caller = self.core.with_extra_fields(members);
        let caller = caller.inspected(move |body| {
            let _ = kept.set(serde_json::from_slice(body).unwrap_or_default());
        });
        let time_limit = self.core.poll_policy().deadline;
        let accepted = S::dispatch(&caller, time_limit, request).await?;
        let Some(identity) = Identity::new(accepted.name, accepted.run_id) else {
            let response = response.get().cloned().unwrap_or_default();
            return Err(Error::unidentified(response)
                .without_key(self.core.api())
                .without(&secrets));
        };
        let handle = RunHandle {
            api_version: Some(S::API_VERSION),
            auto_heal: Some(auto_heal),
            started_at: Some(timestamp::now()),
            ..RunHandle::of(identity)
        };
        Ok(Run::resume(&self.core, handle))
    }
}

impl<S: Healable> StartRun<S> {
    /// Asks for healing should the run end failed.
    pub fn auto_heal(mut self, auto_heal: AutoHeal) -> Self {
        self.auto_heal = Some(auto_heal);
        self
    }
}

impl StartRun<Suite> {
    /// Runs these suites and no others; without any, all of them.
    ///
    /// This field of the request is not documented: it is known from the vendor's own client.
    pub fn suites(mut self, ids: impl IntoIterator<Item = SuiteId>) -> Self {
        self.selection.ids.extend(ids);
        self
    }
}

impl StartRun<Grep> {
    /// The branch of the customer's repository that the run checks out.
    ///
    /// It is not a branch of the tests' repository: that is [`AutoHeal::branch`].
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.selection.branch = Some(branch.into());
        self
    }

    /// An environment variable for this run alone. Values are never printed.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.selection.env.insert(name, value);
        self
    }

    /// Splits the run into shards that run side by side: 2 to 40. A run that is split cannot be
    /// healed. The service gives it no job name; it is followed by its test run id.
    ///
    /// This field of the request is not documented: it is known from the vendor's own client.
    pub fn shards(mut self, count: u64) -> Self {
        self.selection.shards = Some(count);
        self
    }
}

impl sealed::Dispatch for Suite {
    const OPERATION: OperationId = OperationId::RunSuite;
    const API_VERSION: ApiVersion = ApiVersion::V1;
    type Request = RunSuiteRequest;

    fn request(&self, auto_heal: Option<types::AutoHeal>) -> Result<Self::Request, Error> {
        let mut request = RunSuiteRequest::new();
        request.auto_heal = auto_heal;
        request.suite_ids = self.ids.clone();
        Ok(request)
    }

    async fn dispatch(
        core: &Core,
        time_limit: Option<Duration>,
        request: Self::Request,
    ) -> Result<DispatchedRun, Error> {
        core.dispatch(time_limit, request, |client, body| async move {
            client.run_suite().body(body).execute().await
        })
        .await
    }
}

impl sealed::Dispatch for Collection {
    const OPERATION: OperationId = OperationId::RunCollection;
    const API_VERSION: ApiVersion = ApiVersion::V1;
    type Request = (CollectionId, RunCollectionRequest);

    fn request(&self, auto_heal: Option<types::AutoHeal>) -> Result<Self::Request, Error> {
        let mut request = RunCollectionRequest::new();
        request.auto_heal = auto_heal;
        Ok((self.id.clone(), request))
    }

    async fn dispatch(
        core: &Core,
        time_limit: Option<Duration>,
        request: Self::Request,
    ) -> Result<DispatchedRun, Error> {
        core.dispatch(time_limit, request, |client, (id, body)| async move {
            client.run_collection().id(id).body(body).execute().await
        })
        .await
    }
}

impl sealed::Dispatch for Tests {
    const OPERATION: OperationId = OperationId::RunTests;
    const API_VERSION: ApiVersion = ApiVersion::V1;
    type Request = RunTestsRequest;

    fn request(&self, auto_heal: Option<types::AutoHeal>) -> Result<Self::Request, Error> {
        if self.ids.is_empty() {
            return Err(Error::invalid_request("no test ids were given"));
        }
        let mut request = RunTestsRequest::new(self.ids.clone());
        request.auto_heal = auto_heal;
        Ok(request)
    }

    async fn dispatch(
        core: &Core,
        time_limit: Option<Duration>,
        request: Self::Request,
    ) -> Result<DispatchedRun, Error> {
        core.dispatch(time_limit, request, |client, body| async move {
            client.run_tests().body(body).execute().await
        })
        .await
    }
}

fn grep_pattern(text: &str) -> Result<GrepPattern, Error> {
    text.parse()
        .map_err(|_| Error::invalid_request("the grep pattern is empty"))
}

impl sealed::Dispatch for Grep {
    const OPERATION: OperationId = OperationId::RunGrepV2;
    const API_VERSION: ApiVersion = ApiVersion::V2;
    type Request = RunGrepV2Request;

    fn request(&self, auto_heal: Option<types::AutoHeal>) -> Result<Self::Request, Error> {
        named_branch(self.branch.as_deref())?;
        if self.shards.is_some_and(|count| !(2..=40).contains(&count)) {
            return Err(Error::invalid_request("a run is split into 2 to 40 shards"));
        }
        if self.shards.is_some() && auto_heal.is_some() {
            return Err(Error::invalid_request(
                "a run cannot be split into shards and healed; leave one of the two out",
            ));
        }
        let mut request = RunGrepV2Request::new(grep_pattern(&self.pattern)?);
        request.branch = self.branch.clone();
        request.env_overrides = self.env.clone().body();
        request.shard_count = self.shards;
        request.auto_heal = auto_heal;
        Ok(request)
    }

    async fn dispatch(
        core: &Core,
        time_limit: Option<Duration>,
        request: Self::Request,
    ) -> Result<DispatchedRun, Error> {
        core.dispatch(time_limit, request, |client, body| async move {
            client.run_grep_v2().body(body).execute().await
        })
        .await
    }
}

impl sealed::Dispatch for LegacyGrep {
    const OPERATION: OperationId = OperationId::RunGrep;
    const API_VERSION: ApiVersion = ApiVersion::V1;
    type Request = RunGrepRequest;

    fn request(&self, _: Option<types::AutoHeal>) -> Result<Self::Request, Error> {
        Ok(RunGrepRequest::new(grep_pattern(&self.pattern)?))
    }

    async fn dispatch(
        core: &Core,
        time_limit: Option<Duration>,
        request: Self::Request,
    ) -> Result<DispatchedRun, Error> {
        core.dispatch(time_limit, request, |client, body| async move {
            client.run_grep().body(body).execute().await
        })
        .await
    }
}
