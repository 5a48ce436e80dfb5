//! The options of healing, whether the service starts it by itself or on request.

use checksum_api::types::{AutoHeal, HealRequest, Metadata, PrNumber, RepoName, TestRunId};
use serde_json::Value;

use crate::error::Error;
use crate::extra_fields::ExtraFields;

/// The options of healing, for [`StartRun::auto_heal`](crate::StartRun::auto_heal) and
/// [`Checksum::heal`](crate::Checksum::heal).
///
/// ```
/// use checksum_api_ext::{HealOptions, PrNumber};
///
/// let options = HealOptions::open_pull_request("acme-co/my-tests".parse()?)
///     .target_branch("main")
///     .report_to(PrNumber::new(42)?)
///     .metadata("context", "post-deploy healing");
/// # let _ = options;
/// # Ok::<(), checksum_api_ext::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct HealOptions {
    opens_pull_request: bool,
    repo: Option<RepoName>,
    target_branch: Option<String>,
    report_to: Option<PrNumber>,
    metadata: ExtraFields,
    extra_fields: ExtraFields,
}

impl HealOptions {
    /// Returns options that open a pull request with the fixes. `repo`, as `owner/name`, is also
    /// the repository of the pull request that [`report_to`](Self::report_to) names.
    pub fn open_pull_request(repo: RepoName) -> Self {
        Self {
            opens_pull_request: true,
            ..Self::no_pull_request().repo(repo)
        }
    }

    /// Returns options that open no pull request.
    pub fn no_pull_request() -> Self {
        Self {
            opens_pull_request: false,
            repo: None,
            target_branch: None,
            report_to: None,
            metadata: ExtraFields::default(),
            extra_fields: ExtraFields::default(),
        }
    }

    /// Sets the repository of the pull request that [`report_to`](Self::report_to) names. It is
    /// needed if healing opens no pull request of its own.
    pub fn repo(mut self, repo: RepoName) -> Self {
        self.repo = Some(repo);
        self
    }

    /// Sets the branch of the tests' repository that the fixes are made against. Default: the
    /// branch of the test run. It is not the branch that a run checks out, see
    /// [`Grep::branch`](crate::Grep::branch).
    pub fn target_branch(mut self, branch: impl Into<String>) -> Self {
        self.target_branch = Some(branch.into());
        self
    }

    /// Reports progress to this existing pull request.
    pub fn report_to(mut self, pull_request: PrNumber) -> Self {
        self.report_to = Some(pull_request);
        self
    }

    /// Adds context for the agent's prompt: a name and any JSON.
    ///
    /// The service documents this field for [`Checksum::heal`](crate::Checksum::heal); for
    /// [`StartRun::auto_heal`](crate::StartRun::auto_heal) it is known from the vendor's own
    /// client.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name, value);
        self
    }

    /// Adds a field that the document does not have.
    pub fn extra_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra_fields.insert(name, value);
        self
    }

    pub(crate) fn extra_fields(&self) -> &ExtraFields {
        &self.extra_fields
    }

    /// Returns the object of a request that starts a run.
    pub(crate) fn auto_heal(&self) -> Result<AutoHeal, Error> {
        if self.repo.is_none() && self.report_to.is_some() {
            return Err(Error::invalid_request(
                "healing that reports to a pull request needs its repository",
            ));
        }
        non_blank_branch(self.target_branch.as_deref())?;
        let mut body = AutoHeal::new();
        body.auto_create_pr = Some(self.opens_pull_request);
        body.repo_name = self.repo.clone();
        body.branch = self.target_branch.clone();
        body.pr_number = self.report_to.clone();
        body.metadata = self.metadata.non_empty().map(Metadata);
        Ok(body)
    }

    /// Returns the body of a request that heals a test run.
    pub(super) fn heal_request(&self, test_run_id: TestRunId) -> Result<HealRequest, Error> {
        let options = self.auto_heal()?;
        let mut body = HealRequest::new(test_run_id);
        body.auto_create_pr = options.auto_create_pr;
        body.branch = options.branch;
        body.pr_number = options.pr_number;
        body.repo_name = options.repo_name;
        body.metadata = options.metadata;
        Ok(body)
    }
}

/// Rejects a branch without a name, which often is a variable that is not set.
pub(crate) fn non_blank_branch(branch: Option<&str>) -> Result<(), Error> {
    match branch {
        Some(branch) if branch.trim().is_empty() => Err(Error::invalid_request(
            "the branch is empty; leave it out, or name one",
        )),
        _ => Ok(()),
    }
}
