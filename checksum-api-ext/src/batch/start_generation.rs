use std::future::IntoFuture;
use std::pin::Pin;

use checksum_api::OperationId;
use checksum_api::types::{GenerateRequest, Metadata, RepoName};
use serde_json::Value;

use super::{Batch, Generation};
use crate::environment::Environment;
use crate::members::Members;
use crate::run::pr_number;
use crate::{Checksum, Error, Intent, InvalidRequest};

/// Generation about to be started; made by [`Checksum::generate`]. Awaiting it is the same as
/// [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartGeneration {
    client: Checksum,
    repo: RepoName,
    pr: u64,
    branch: String,
    env: Environment,
    metadata: Members,
    members: Members,
}

impl StartGeneration {
    pub(crate) fn new(client: &Checksum, repo: RepoName, pr: u64, branch: String) -> Self {
        Self {
            client: client.clone(),
            repo,
            pr,
            branch,
            env: Environment::default(),
            metadata: Members::default(),
            members: Members::default(),
        }
    }

    /// An environment variable for this session alone, such as the address of a preview. Values
    /// are never printed.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name, value);
        self
    }

    /// Adds context for the agent's prompt: a name and any JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name, value);
        self
    }

    /// A field of the request that the document does not have.
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name, value);
        self
    }

    /// Returns what to store before [`start`](Self::start), so that a crash in between does not lose
    /// the knowledge that the session may have started.
    ///
    /// # Errors
    ///
    /// The request would be refused: [`Error::Invalid`].
    pub fn intent(&self) -> Result<Intent, Error> {
        let body = self.body()?;
        Ok(Intent::new(
            OperationId::TriggerAutoGenerate,
            &body,
            &self.members,
        ))
    }

    fn body(&self) -> Result<GenerateRequest, Error> {
        if self.branch.trim().is_empty() {
            return Err(Error::Invalid(InvalidRequest::NoBranch));
        }
        if !has_owner(&self.repo) {
            return Err(Error::Invalid(InvalidRequest::NoOwner));
        }
        let number = pr_number(self.pr).map_err(Error::Invalid)?;
        let mut body = GenerateRequest::new(self.branch.clone(), number, self.repo.clone());
        body.metadata = self.metadata.clone().some().map(Metadata);
        body.env_overrides = self.env.clone().body();
        Ok(body)
    }

    /// Asks the service to start generating, once, as
    /// [`StartRun::start`](crate::StartRun::start) does.
    ///
    /// # Errors
    ///
    /// - The request would be refused: [`Error::Invalid`]. Nothing was sent.
    /// - The service refused: [`Error::Request`]. Nothing was started.
    /// - The answer did not arrive or cannot be read: [`Error::DispatchUncertain`]. The session
    ///   may have started.
    pub async fn start(self) -> Result<Batch<Generation>, Error> {
        let body = self.body()?;
        let caller = self.client.caller.with_extra_fields(self.members);
        let accepted = caller
            .dispatch(self.client.poll.deadline, body, |client, body| async move {
                client.trigger_auto_generate().body(body).execute().await
            })
            .await?;
        let id = accepted.batch_id.clone();
        Ok(Batch::just_started(&self.client, id, accepted))
    }
}

/// Whether a repository is named as `OWNER/REPO`.
fn has_owner(repo: &RepoName) -> bool {
    let is_name =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_whitespace);
    let parts = repo.as_str().split_once('/');
    parts.is_some_and(|(owner, repo)| is_name(owner) && is_name(repo) && !repo.contains('/'))
}

impl IntoFuture for StartGeneration {
    type Output = Result<Batch<Generation>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
