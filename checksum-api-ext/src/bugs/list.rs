use checksum_api::types::{BugSeverity, BugStatus};

use super::{BugPage, Bugs};
use crate::core::{Core, Retry};
use crate::error::Error;

/// A request for bugs; made by [`Checksum::bugs`]. Without a filter it is for all of the project.
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
    /// does not limit [`into_stream`](Self::into_stream), which goes on to the last page or to
    /// [`max_bugs`](Self::max_bugs).
    pub fn page_size(mut self, bugs: u64) -> Self {
        self.page_size = Some(bugs);
        self
    }

    /// How many bugs to skip.
    pub fn offset(mut self, bugs: u64) -> Self {
        self.offset = Some(bugs);
        self
    }

    /// How many bugs [`into_stream`](Self::into_stream) gives at most. Default: 10,000.
    pub fn max_bugs(mut self, bugs: u64) -> Self {
        self.max_bugs = bugs;
        self
    }

    /// How large the bugs of [`into_stream`](Self::into_stream) may be in all, in bytes of their JSON.
    /// Default: 64 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The first page, or the one at [`offset`](Self::offset).
    ///
    /// # Errors
    ///
    /// The request failed, or the answer can be no list of bugs: [`Error::UnexpectedAnswer`].
    pub async fn page(&self) -> Result<BugPage, Error> {
        self.page_at(self.offset).await
    }

    /// All bugs, page after page; a page is asked for when it is needed.
    ///
    /// It ends where the service says so (`total`, `hasMore`, `next`), with an empty page and with
    /// one that is shorter than the `limit` that the service confirms. A bug that moves to a later
    /// page meanwhile is given once.
    ///
    /// It also ends at [`max_bugs`](Self::max_bugs), at [`max_bytes`](Self::max_bytes), and where
    /// the service gives nothing new, which it would do for ever if it ignored `offset`. Then
    /// there may be more, and [`Bugs::truncation`] says why:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .build()?;
    /// use checksum_api_ext::Truncation;
    ///
    /// let mut bugs = checksum.bugs().max_bugs(3).into_stream();
    /// while let Some(bug) = bugs.next().await {
    ///     println!("{}", bug?.title.unwrap_or_default());
    /// }
    /// assert_eq!(bugs.truncation(), Some(Truncation::MaxBugs));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`page`](Self::page); an error is the last item.
    pub fn into_stream(self) -> Bugs {
        Bugs::new(self)
    }

    pub(super) async fn page_at(&self, offset: Option<u64>) -> Result<BugPage, Error> {
        let answer = self
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
                request.execute().await
            })
            .await?;
        BugPage::decode(answer.0).map_err(|error| error.without_key(self.core.api()))
    }

    pub(super) fn start(&self) -> u64 {
        self.offset.unwrap_or(0)
    }
}
