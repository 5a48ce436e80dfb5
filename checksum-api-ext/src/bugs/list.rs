//! The request for bugs, and its filters.

use checksum_api::types::{BugSeverity, BugStatus};

use super::BugPage;
use crate::core::{Core, Retry};
use crate::error::Error;

/// A request for bugs. Returned by [`Checksum::bugs`](crate::Checksum::bugs). Without a filter it
/// lists all bugs of the project.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `page` or `into_stream`"]
pub struct ListBugs {
    core: Core,
    status: Option<BugStatus>,
    severity: Option<BugSeverity>,
    search: Option<String>,
    tags: Vec<String>,
    project: Option<String>,
    collection_name: Option<String>,
    page_size: Option<u64>,
    offset: Option<u64>,
    pub(super) max_bugs: u64,
    pub(super) max_bytes: usize,
}

impl ListBugs {
    pub(crate) fn new(core: &Core) -> Self {
        Self {
            core: core.clone(),
            status: None,
            severity: None,
            search: None,
            tags: Vec::new(),
            project: None,
            collection_name: None,
            page_size: None,
            offset: None,
            max_bugs: 10_000,
            max_bytes: 64 * 1024 * 1024,
        }
    }

    /// Lists only bugs in this state of triage.
    pub fn status(mut self, status: BugStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Lists only bugs of this severity.
    pub fn severity(mut self, severity: BugSeverity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Lists only bugs that match this text. The API's description does not say how it is matched.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Lists only bugs with this tag. Call it more than once for more tags; the API's description
    /// does not say whether a bug then needs one of them or all.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Lists only bugs of this project.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Lists only bugs of the collection with this name.
    pub fn collection_name(mut self, name: impl Into<String>) -> Self {
        self.collection_name = Some(name.into());
        self
    }

    /// Sets how many bugs a page has at most. The service's default is not documented. It does not
    /// limit [`into_stream`](Self::into_stream), which goes on to the last page or to
    /// [`max_bugs`](Self::max_bugs).
    pub fn page_size(mut self, bugs: u64) -> Self {
        self.page_size = Some(bugs);
        self
    }

    /// Sets how many bugs to skip.
    pub fn offset(mut self, bugs: u64) -> Self {
        self.offset = Some(bugs);
        self
    }

    /// Sets how many bugs [`into_stream`](Self::into_stream) returns at most. Default: 10,000.
    pub fn max_bugs(mut self, bugs: u64) -> Self {
        self.max_bugs = bugs;
        self
    }

    /// Sets the maximum total size of the bugs that [`into_stream`](Self::into_stream) returns, in
    /// bytes of their JSON. Default: 64 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Returns the first page, or the one at [`offset`](Self::offset).
    ///
    /// # Errors
    ///
    /// The request failed, or the response cannot be a list of bugs:
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse).
    pub async fn page(&self) -> Result<BugPage, Error> {
        self.page_at(self.offset).await
    }

    pub(super) async fn page_at(&self, offset: Option<u64>) -> Result<BugPage, Error> {
        let (page, response) = self
            .core
            .read(Retry::ByPolicy, || async {
                let client = self.core.api();
                let mut request = client.list_bugs();
                if let Some(status) = &self.status {
                    request = request.status(status);
                }
                if let Some(severity) = &self.severity {
                    request = request.severity(severity);
                }
                if let Some(text) = &self.search {
                    request = request.search(text.as_str());
                }
                if !self.tags.is_empty() {
                    request = request.tags(self.tags.clone());
                }
                if let Some(project) = &self.project {
                    request = request.project(project.as_str());
                }
                if let Some(name) = &self.collection_name {
                    request = request.collection_name(name.as_str());
                }
                if let Some(limit) = self.page_size {
                    request = request.limit(limit);
                }
                if let Some(offset) = offset {
                    request = request.offset(offset);
                }
                request.execute_with_response().await
            })
            .await?;
        BugPage::decode(page.0).map_err(|error| error.of_response(self.core.api(), &response))
    }

    pub(super) fn start(&self) -> u64 {
        self.offset.unwrap_or(0)
    }
}
