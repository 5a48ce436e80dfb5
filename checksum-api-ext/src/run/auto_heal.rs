use std::num::NonZeroU64;

use checksum_api::types::{self, Metadata, PrNumber, RepoName};
use serde_json::Value;

use crate::InvalidRequest;
use crate::members::Members;

/// Asks the service to start healing should the run end failed.
///
/// ```
/// use checksum_api_ext::AutoHeal;
///
/// let heal = AutoHeal::pull_request("acme-co/my-tests".parse()?).branch("main").pr(42);
/// # let _ = heal;
/// # Ok::<(), checksum_api_ext::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AutoHeal {
    pub(crate) creates_pull_request: bool,
    repo: Option<RepoName>,
    branch: Option<String>,
    pr: Option<u64>,
    pub(crate) metadata: Members,
    pub(crate) members: Members,
}

impl AutoHeal {
    /// Healing ends with a pull request that carries the fixes. The repository, `owner/repo`, is
    /// the one that hosts the pull request named by [`pr`](Self::pr).
    pub fn pull_request(repo: RepoName) -> Self {
        Self {
            creates_pull_request: true,
            repo: Some(repo),
            ..Self::without_pull_request()
        }
    }

    /// Healing opens no pull request.
    pub fn without_pull_request() -> Self {
        Self {
            creates_pull_request: false,
            repo: None,
            branch: None,
            pr: None,
            metadata: Members::default(),
            members: Members::default(),
        }
    }

    /// The repository, for healing that opens no pull request and reports to one.
    #[must_use]
    pub fn repo(mut self, repo: RepoName) -> Self {
        self.repo = Some(repo);
        self
    }

    /// The branch of the tests' repository that the fixes are made against. It is not the branch
    /// that the run checks out; by default it is the test run's.
    #[must_use]
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// The existing pull request that progress is reported to, from 1.
    #[must_use]
    pub fn pr(mut self, number: u64) -> Self {
        self.pr = Some(number);
        self
    }

    /// Adds context for the agent's prompt: a name and any JSON.
    ///
    /// This field is documented for [healing](crate::Checksum::heal); here it is known from the
    /// vendor's own client.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name, value);
        self
    }

    /// A field that the document does not have.
    #[must_use]
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name, value);
        self
    }

    pub(crate) fn body(&self) -> Result<types::AutoHeal, InvalidRequest> {
        if self.repo.is_none() && (self.creates_pull_request || self.pr.is_some()) {
            return Err(InvalidRequest::NoRepository);
        }
        named_branch(self.branch.as_deref())?;
        let mut body = types::AutoHeal::new();
        body.auto_create_pr = Some(self.creates_pull_request);
        body.repo_name = self.repo.clone();
        body.branch = self.branch.clone();
        body.pr_number = self.pr.map(pr_number).transpose()?;
        body.metadata = self.metadata.clone().some().map(Metadata);
        Ok(body)
    }
}

/// Fails where a branch is given and has no name.
pub(super) fn named_branch(branch: Option<&str>) -> Result<(), InvalidRequest> {
    match branch {
        Some(branch) if branch.trim().is_empty() => Err(InvalidRequest::EmptyBranch),
        _ => Ok(()),
    }
}

/// A pull request's number, as requests carry it.
pub(crate) fn pr_number(number: u64) -> Result<PrNumber, InvalidRequest> {
    NonZeroU64::new(number)
        .map(PrNumber)
        .ok_or(InvalidRequest::PrNumber)
}
