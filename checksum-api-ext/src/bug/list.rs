use std::pin::Pin;

use checksum_api::types::{BugSeverity, BugStatus};
use futures_core::Stream;

use super::pages::Pages;
use super::{Bug, BugPage};
use crate::call::Effort;
use crate::{Checksum, Error};

/// A request for bugs; made by [`Checksum::bugs`]. Without a filter it is for all of the project.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `first_page` or `stream`"]
pub struct ListBugs {
    client: Checksum,
    status: Option<BugStatus>,
    severity: Option<BugSeverity>,
    search: Option<String>,
    tags: Vec<String>,
    project: Option<String>,
    collection_name: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

impl ListBugs {
    pub(crate) fn new(client: &Checksum) -> Self {
        Self {
            client: client.clone(),
            status: None,
            severity: None,
            search: None,
            tags: Vec::new(),
            project: None,
            collection_name: None,
            limit: None,
            offset: None,
        }
    }

    /// Only bugs in this state of triage.
    pub fn status(mut self, status: BugStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only bugs of this severity.
    pub fn severity(mut self, severity: BugSeverity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Only bugs that match this text; how, the description does not say.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Only bugs with this tag. May be given more than once; whether a bug then needs one of them
    /// or all, the description does not say.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Only bugs of this project.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Only bugs of the collection with this name.
    pub fn collection_name(mut self, name: impl Into<String>) -> Self {
        self.collection_name = Some(name.into());
        self
    }

    /// How many bugs a page has at most; the service has a default, which is not documented. It
    /// does not limit [`stream`](Self::stream), which goes on to the last page.
    pub fn limit(mut self, bugs: u64) -> Self {
        self.limit = Some(bugs);
        self
    }

    /// How many bugs to skip.
    pub fn offset(mut self, bugs: u64) -> Self {
        self.offset = Some(bugs);
        self
    }

    /// The first page, or the one at [`offset`](Self::offset).
    ///
    /// # Errors
    ///
    /// The request failed, or the answer can be no list of bugs: [`Error::UnexpectedAnswer`].
    pub async fn first_page(&self) -> Result<BugPage, Error> {
        self.page(self.offset).await
    }

    /// All bugs, page after page; a page is asked for when it is needed.
    ///
    /// It ends where the service says so (`total`, `hasMore`, `next`), with an empty page, with
    /// one that is shorter than the pages before it or than the `limit` that the service confirms,
    /// and with one that brings nothing new: a service that ignores `offset` gives one page for
    /// ever. A bug that moves to a later page meanwhile is given once.
    ///
    /// # Errors
    ///
    /// As for [`first_page`](Self::first_page); an error is the last item.
    pub fn stream(self) -> Pin<Box<dyn Stream<Item = Result<Bug, Error>> + Send>> {
        Box::pin(Pages::new(self).stream())
    }

    pub(super) async fn page(&self, offset: Option<u64>) -> Result<BugPage, Error> {
        let answer = self
            .client
            .caller
            .read(Effort::Persistent, |client| async move {
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
                if let Some(limit) = self.limit {
                    request = request.limit(limit);
                }
                if let Some(offset) = offset {
                    request = request.offset(offset);
                }
                request.send().await
            })
            .await?;
        BugPage::read(answer.0).map_err(|error| error.without_key(self.client.api()))
    }

    pub(super) fn start(&self) -> u64 {
        self.offset.unwrap_or(0)
    }
}
