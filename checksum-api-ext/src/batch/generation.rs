//! Starts the generation of tests for a pull request, and represents its batch.

use std::pin::Pin;
use std::sync::Arc;

use checksum_api::types::{
    GenerateRequest, GenerationStarted, Metadata, PrNumber, RepoName, SessionId,
};
use checksum_api::{OperationId, RawResponse};
use serde_json::Value;

use super::{Batch, BatchHandle, Kind, batch_methods};
use crate::core::Core;
use crate::env_overrides::EnvOverrides;
use crate::error::Error;
use crate::extra_fields::ExtraFields;
use crate::intent::Intent;
use crate::poll::Pollable;
use crate::telemetry;

/// A generation that is not started yet. Returned by
/// [`Checksum::generate`](crate::Checksum::generate). Awaiting it is the same as
/// [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartGeneration {
    core: Core,
    repo: RepoName,
    pull_request: PrNumber,
    branch: String,
    env: EnvOverrides,
    metadata: ExtraFields,
    extra_fields: ExtraFields,
}

impl StartGeneration {
    pub(crate) fn new(core: &Core, repo: RepoName, pull_request: PrNumber, branch: String) -> Self {
        Self {
            core: core.clone(),
            repo,
            pull_request,
            branch,
            env: EnvOverrides::default(),
            metadata: ExtraFields::default(),
            extra_fields: ExtraFields::default(),
        }
    }

    /// Sets an environment variable for this session, such as the address of a preview. Its value
    /// appears in no log, error or `Debug` text.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name, value);
        self
    }

    /// Sets environment variables for this session, as [`env`](Self::env) does.
    pub fn envs<N: Into<String>, V: Into<String>>(
        self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        variables.fold(self, |start, (name, value)| start.env(name, value))
    }

    /// Adds context for the agent's prompt: a name and any JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name, value);
        self
    }

    /// Adds a field to the request that the document does not have.
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra_fields.insert(name, value);
        self
    }

    /// Returns a record to store before [`start`](Self::start). After a crash in between, it shows
    /// that the session may have started.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the service would reject
    /// the request.
    pub fn intent(&self) -> Result<Intent, Error> {
        let (body, fields) = (self.body()?, &self.extra_fields);
        Ok(Intent::new(OperationId::TriggerAutoGenerate, &body, fields))
    }

    fn body(&self) -> Result<GenerateRequest, Error> {
        if self.branch.trim().is_empty() {
            return Err(Error::invalid_request(
                "generation needs the branch of the pull request",
            ));
        }
        if !self.repo.has_owner() {
            return Err(Error::invalid_request(
                "generation needs the repository as OWNER/REPO",
            ));
        }
        let (branch, number) = (self.branch.clone(), self.pull_request.clone());
        let mut body = GenerateRequest::new(branch, number, self.repo.clone());
        body.metadata = self.metadata.non_empty().map(Metadata);
        body.env_overrides = self.env.body();
        Ok(body)
    }

    /// Starts generating, at most once, as [`StartRun::start`](crate::StartRun::start) does.
    ///
    /// # Errors
    ///
    /// As for [`StartRun::start`](crate::StartRun::start).
    pub async fn start(self) -> Result<GenerationBatch, Error> {
        let key = |started: &GenerationBatch| started.batch.key();
        telemetry::start(OperationId::TriggerAutoGenerate, self.send(), key).await
    }

    async fn send(self) -> Result<GenerationBatch, Error> {
        let body = self.body()?;
        let started = self
            .core
            .dispatch(self.extra_fields, |client| {
                let body = body.clone();
                async move {
                    client
                        .trigger_auto_generate()
                        .body(body)
                        .execute_with_response()
                        .await
                }
            })
            .await?;
        let handle = BatchHandle::started_now(started.0.batch_id.clone());
        Ok(GenerationBatch {
            started: Some(Arc::new(started)),
            ..GenerationBatch::resume(&self.core, handle)
        })
    }
}

impl IntoFuture for StartGeneration {
    type Output = Result<GenerationBatch, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// Sessions that write tests for a pull request. Awaiting it waits until every session has ended.
#[derive(Clone, Debug)]
#[must_use = "a batch goes on unobserved unless it is awaited or its handle is kept"]
pub struct GenerationBatch {
    pub(super) batch: Batch,
    started: Option<Arc<(GenerationStarted, RawResponse)>>,
}

batch_methods!(GenerationBatch);

impl GenerationBatch {
    pub(crate) fn resume(core: &Core, handle: BatchHandle) -> Self {
        Self {
            batch: Batch::new(core, Kind::Generation, handle),
            started: None,
        }
    }

    fn started(&self) -> Option<&GenerationStarted> {
        Some(&self.started.as_ref()?.0)
    }

    /// Returns the agent's session; `None` if the service did not name it, and for a resumed batch.
    pub fn session_id(&self) -> Option<&SessionId> {
        self.started()?.session_id.as_ref()
    }

    /// Returns the session's page in the web app; `None` if the service did not give it, and for a
    /// resumed batch.
    pub fn session_url(&self) -> Option<&str> {
        self.started()?.links.as_ref()?.session.as_deref()
    }
}
