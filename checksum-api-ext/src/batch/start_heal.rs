use std::future::IntoFuture;
use std::pin::Pin;

use checksum_api::OperationId;
use checksum_api::types::{HealRequest, RepoName, TestRunId};
use serde_json::Value;

use super::{Batch, Heal};
use crate::{AutoHeal, Checksum, Error, Intent, InvalidRequest};

/// Healing about to be started; made by [`Checksum::heal`] and
/// [`RunReport::heal`](crate::RunReport::heal).
///
/// A repository has to be named unless healing opens no pull request and reports to none. Awaiting
/// it is the same as [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartHealing {
    client: Checksum,
    /// `None` for a run of which only v1 knows; starting is then refused.
    test_run_id: Option<TestRunId>,
    how: AutoHeal,
}

impl StartHealing {
    pub(crate) fn new(client: &Checksum, test_run_id: Option<TestRunId>) -> Self {
        // The service's own default is to open a pull request. Not naming a repository for it is
        // then a mistake that can be told before anything is sent.
        let mut how = AutoHeal::without_pull_request();
        how.creates_pull_request = true;
        Self {
            client: client.clone(),
            test_run_id,
            how,
        }
    }

    fn with(mut self, change: impl FnOnce(AutoHeal) -> AutoHeal) -> Self {
        self.how = change(self.how);
        self
    }

    /// Healing ends with a pull request that carries the fixes, reported to this repository,
    /// `owner/repo`: the one that hosts the pull request named by [`pr`](Self::pr).
    pub fn pull_request(mut self, repo: RepoName) -> Self {
        self.how.creates_pull_request = true;
        self.repo(repo)
    }

    /// Healing opens no pull request.
    pub fn without_pull_request(mut self) -> Self {
        self.how.creates_pull_request = false;
        self
    }

    /// The repository, for healing that opens no pull request and reports to one.
    pub fn repo(self, repo: RepoName) -> Self {
        self.with(|how| how.repo(repo))
    }

    /// The branch of the tests' repository that the fixes are made against. By default it is the
    /// test run's, which is wrong where that is a branch of another repository.
    pub fn branch(self, branch: impl Into<String>) -> Self {
        self.with(|how| how.branch(branch))
    }

    /// The existing pull request that progress is reported to, from 1.
    pub fn pr(self, number: u64) -> Self {
        self.with(|how| how.pr(number))
    }

    /// Adds context for the agent's prompt: a name and any JSON.
    pub fn metadata(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|how| how.metadata(name, value))
    }

    /// A field of the request that the document does not have.
    pub fn extra_field(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|how| how.extra_field(name, value))
    }

    /// Returns what to store before [`start`](Self::start), so that a crash in between does not lose
    /// the knowledge that healing may have started.
    ///
    /// # Errors
    ///
    /// The request would be refused: [`Error::Invalid`].
    pub fn intent(&self) -> Result<Intent, Error> {
        let body = self.body()?;
        Ok(Intent::new(
            OperationId::TriggerAutoHeal,
            &body,
            &self.how.members,
        ))
    }

    fn body(&self) -> Result<HealRequest, Error> {
        let test_run_id = self.test_run_id.clone();
        let how = self.how.body().map_err(Error::Invalid)?;
        let test_run_id = test_run_id.ok_or(Error::Invalid(InvalidRequest::NoTestRun))?;
        let mut body = HealRequest::new(test_run_id);
        body.auto_create_pr = how.auto_create_pr;
        body.branch = how.branch;
        body.pr_number = how.pr_number;
        body.repo_name = how.repo_name;
        body.metadata = how.metadata;
        Ok(body)
    }

    /// Asks the service to start healing, once, as [`StartRun::start`](crate::StartRun::start)
    /// does.
    ///
    /// # Errors
    ///
    /// - The request would be refused: [`Error::Invalid`]. Nothing was sent.
    /// - The service refused: [`Error::Request`]. [`Error::is_not_found`] where it knows no such
    ///   test run; a job name is none.
    /// - The answer did not arrive or cannot be read: [`Error::DispatchUncertain`]. Healing may
    ///   have started.
    pub async fn start(self) -> Result<Batch<Heal>, Error> {
        let body = self.body()?;
        let caller = self.client.caller.with_extra_fields(self.how.members);
        let accepted = caller
            .dispatch(self.client.poll.deadline, body, |client, body| async move {
                client.trigger_auto_heal().body(body).execute().await
            })
            .await?;
        let id = accepted.batch_id.clone();
        Ok(Batch::just_started(&self.client, id, accepted))
    }
}

impl IntoFuture for StartHealing {
    type Output = Result<Batch<Heal>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
