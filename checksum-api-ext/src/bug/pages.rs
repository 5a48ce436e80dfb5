use std::collections::{HashSet, VecDeque};

use futures_core::Stream;
use futures_util::stream;

use super::{Bug, BugPage, ListBugs};
use crate::Error;

/// One walk over all pages.
pub(super) struct Pages {
    list: ListBugs,
    /// Of the next page; none before the first, which is asked for as the caller has said.
    offset: Option<u64>,
    longest: usize,
    seen: HashSet<String>,
    bugs: VecDeque<Bug>,
    is_over: bool,
}

impl Pages {
    pub(super) fn new(list: ListBugs) -> Self {
        Self {
            list,
            offset: None,
            longest: 0,
            seen: HashSet::new(),
            bugs: VecDeque::new(),
            is_over: false,
        }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Result<Bug, Error>> {
        stream::try_unfold(self, |mut pages| async move {
            Ok(pages.next().await?.map(|bug| (bug, pages)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bug>, Error> {
        loop {
            if let Some(bug) = self.bugs.pop_front() {
                return Ok(Some(bug));
            }
            if self.is_over {
                return Ok(None);
            }
            let page = match self.offset {
                None => self.list.first_page().await?,
                offset => self.list.page(offset).await?,
            };
            self.take(page);
        }
    }

    fn take(&mut self, page: BugPage) {
        let start = self.offset.unwrap_or_else(|| self.list.start());
        let end = start.saturating_add(page.length as u64);
        self.is_over = !self.goes_on(&page, end);
        self.offset = Some(end);
        self.longest = self.longest.max(page.length);
        let seen = &mut self.seen;
        let new = page.bugs.into_iter().filter(|bug| seen.insert(bug.key()));
        let before = self.bugs.len();
        self.bugs.extend(new);
        // The same bugs again: the service ignores `offset`.
        self.is_over |= self.bugs.len() == before;
    }

    /// Whether there is a page after this one, which ends at `end`.
    fn goes_on(&self, page: &BugPage, end: u64) -> bool {
        if page.length == 0 {
            return false;
        }
        if let Some(has_more) = page.has_more {
            return has_more;
        }
        if let Some(total) = page.total {
            return end < total;
        }
        // That the caller's limit is not reached tells nothing: the service may have a lower one.
        let limit = page.limit.map_or(self.longest as u64, |limit| limit.max(1));
        page.length as u64 >= limit
    }
}
