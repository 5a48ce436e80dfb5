//! Starting a run, at most once.

use checksum_api::types::{
    AutoHeal, CollectionId, DispatchedRun, RunCollectionRequest, RunGrepV2Request, RunSuiteRequest,
    RunTestsRequest,
};
use checksum_api::{Client, OperationId, RawResponse};
use serde::Serialize;
use serde_json::Value;

use super::handle::Identity;
use super::selection::{Grep, Selection};
use super::{ApiVersion, Run, RunHandle};
use crate::batch::{HealOptions, non_blank_branch};
use crate::core::Core;
use crate::error::Error;
use crate::extra_fields::ExtraFields;
use crate::intent::{Intent, secrets_of};
use crate::poll::Pollable;
use crate::{telemetry, timestamp};

/// A run that is not started yet. Returned by [`Checksum::run`](crate::Checksum::run) and the
/// methods for one kind of selection, such as [`Checksum::run_suite`](crate::Checksum::run_suite).
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
/// use checksum_api_ext::Grep;
///
/// let collection = checksum.run_collection("collection-abc-123".parse()?).start().await?;
/// let tests = checksum.run_tests(["test-abc-123".parse()?, "test-ghi-789".parse()?]).start().await?;
/// let grep = checksum.run_grep(Grep::new("checkout").branch("feature/preview")).start().await?;
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
pub struct StartRun {
    core: Core,
    selection: Selection,
    auto_heal: Option<HealOptions>,
    extra_fields: ExtraFields,
}

impl StartRun {
    pub(crate) fn new(core: &Core, selection: Selection) -> Self {
        Self {
            core: core.clone(),
            selection,
            auto_heal: None,
            extra_fields: ExtraFields::default(),
        }
    }

    /// Heals the run's failures if it ends `failed`; see [`Run::wait_healed`].
    pub fn auto_heal(mut self, options: HealOptions) -> Self {
        self.auto_heal = Some(options);
        self
    }

    /// Adds a field to the request that the document does not have. A field that the request has
    /// already is replaced; objects are merged.
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra_fields.insert(name, value);
        self
    }

    /// Returns a record to store before [`start`](Self::start). After a crash in between, it shows
    /// that the run may have started.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the service would reject
    /// the request.
    pub fn intent(&self) -> Result<Intent, Error> {
        let (request, fields) = self.request()?;
        Ok(Intent::new(request.operation(), &request, &fields))
    }

    fn request(&self) -> Result<(Request, ExtraFields), Error> {
        let mut fields = self.extra_fields.clone();
        let auto_heal = match &self.auto_heal {
            None => None,
            Some(options) => {
                if let Some(own) = options.extra_fields().non_empty() {
                    fields.insert("autoHeal", own);
                }
                Some(options.auto_heal()?)
            }
        };
        Ok((Request::new(&self.selection, auto_heal)?, fields))
    }

    /// Starts the run.
    ///
    /// The request is sent once. It is retried only if the service certainly did not act on it:
    /// there was no connection, or the response was 429.
    ///
    /// # Errors
    ///
    /// [`Error::started`] says for each error whether the run has started.
    ///
    /// | kind | the run |
    /// | --- | --- |
    /// | `InvalidRequest` | was not started: nothing was sent |
    /// | `Unauthorized`, `Forbidden`, `NotFound`, `Rejected` | was not started: the service rejected the request |
    /// | `Unavailable` | was not started: no connection, or 429 to the last attempt |
    /// | `MayHaveStarted` | may have started: a time-out, a broken connection, 408, 5xx, a redirect, or a response that cannot be read or names no run |
    pub async fn start(self) -> Result<Run, Error> {
        let (request, fields) = self.request()?;
        let operation = request.operation();
        telemetry::start(operation, self.send(request, fields), Run::key).await
    }

    async fn send(self, request: Request, fields: ExtraFields) -> Result<Run, Error> {
        let heals = self.auto_heal.is_some() || self.extra_fields.0.contains_key("autoHeal");
        let secrets = secrets_of(request.operation(), &(&request, &fields.0));
        let api_version = request.api_version();
        let send = |client| request.clone().send(client);
        let (accepted, response) = self.core.dispatch(fields, send).await?;
        let Some(identity) = Identity::new(accepted.name, accepted.run_id) else {
            let body = serde_json::from_slice(&response.body).unwrap_or_default();
            return Err(Error::unidentified(body)
                .of_response(self.core.api(), &response)
                .without(&secrets));
        };
        let handle = RunHandle {
            api_version: Some(api_version),
            auto_heal: Some(heals),
            started_at: Some(timestamp::now()),
            ..RunHandle::of(identity)
        };
        Ok(Run::new(&self.core, handle).with_start_response(response))
    }
}

/// The request of a selection. It serialises to everything in which requests can differ.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Request {
    Suite(RunSuiteRequest),
    Collection(CollectionId, RunCollectionRequest),
    Tests(RunTestsRequest),
    Grep(RunGrepV2Request),
}

impl Request {
    /// Fails if the service would reject the request.
    fn new(selection: &Selection, auto_heal: Option<AutoHeal>) -> Result<Self, Error> {
        let suites = |ids: &[_]| {
            let mut body = RunSuiteRequest::new();
            body.suite_ids = ids.to_vec();
            body.auto_heal = auto_heal.clone();
            Self::Suite(body)
        };
        Ok(match selection {
            Selection::Suite => suites(&[]),
            Selection::Suites(ids) if ids.is_empty() => {
                return Err(Error::invalid_request("no suite ids were given"));
            }
            Selection::Suites(ids) => suites(ids),
            Selection::Collection(id) => {
                let mut body = RunCollectionRequest::new();
                body.auto_heal = auto_heal;
                Self::Collection(id.clone(), body)
            }
            Selection::Tests(ids) if ids.is_empty() => {
                return Err(Error::invalid_request("no test ids were given"));
            }
            Selection::Tests(ids) => {
                let mut body = RunTestsRequest::new(ids.clone());
                body.auto_heal = auto_heal;
                Self::Tests(body)
            }
            Selection::Grep(grep) => Self::Grep(grep_request(grep, auto_heal)?),
        })
    }

    fn operation(&self) -> OperationId {
        match self {
            Self::Suite(_) => OperationId::RunSuite,
            Self::Collection(..) => OperationId::RunCollection,
            Self::Tests(_) => OperationId::RunTests,
            Self::Grep(_) => OperationId::RunGrepV2,
        }
    }

    /// Returns the version of the route that starts the run, whose status route is polled first.
    fn api_version(&self) -> ApiVersion {
        match self {
            Self::Suite(_) | Self::Collection(..) | Self::Tests(_) => ApiVersion::V1,
            Self::Grep(_) => ApiVersion::V2,
        }
    }

    async fn send(
        self,
        client: Client,
    ) -> Result<(DispatchedRun, RawResponse), checksum_api::Error> {
        match self {
            Self::Suite(body) => client.run_suite().body(body).execute_with_response().await,
            Self::Collection(id, body) => {
                client
                    .run_collection()
                    .id(id)
                    .body(body)
                    .execute_with_response()
                    .await
            }
            Self::Tests(body) => client.run_tests().body(body).execute_with_response().await,
            Self::Grep(body) => {
                client
                    .run_grep_v2()
                    .body(body)
                    .execute_with_response()
                    .await
            }
        }
    }
}

fn grep_request(grep: &Grep, auto_heal: Option<AutoHeal>) -> Result<RunGrepV2Request, Error> {
    non_blank_branch(grep.branch.as_deref())?;
    if grep.shards.is_some_and(|count| !(2..=40).contains(&count)) {
        return Err(Error::invalid_request("a run is split into 2 to 40 shards"));
    }
    if grep.shards.is_some() && auto_heal.is_some() {
        return Err(Error::invalid_request(
            "a run cannot be split into shards and healed; leave one of the two out",
        ));
    }
    let pattern = grep.pattern.parse();
    let pattern = pattern.map_err(|_| Error::invalid_request("the grep pattern is empty"))?;
    let mut body = RunGrepV2Request::new(pattern);
    body.branch = grep.branch.clone();
    body.env_overrides = grep.env.body();
    body.shard_count = grep.shards;
    body.auto_heal = auto_heal;
    Ok(body)
}
