//! The walk over the pages of bugs: which page is next, and when it ends.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_core::Stream;
use futures_util::stream;

use super::{Bug, BugPage, ListBugs};
use crate::error::Error;

/// Why a list of bugs may be incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Truncation {
    /// A page had only bugs of earlier pages: the service seems to ignore `offset`.
    RepeatedPage,
    /// The service counts more bugs than it sent, or announces more and sends none.
    FewerThanCounted,
    /// The limit of [`ListBugs::max_bugs`] was reached.
    MaxBugs,
    /// The limit of [`ListBugs::max_bytes`] was reached.
    MaxBytes,
}

/// The state of one walk over all pages.
pub(super) struct Pages {
    list: ListBugs,
    /// Offset of the next page. `None` before the first request, which uses the caller's offset.
    offset: Option<u64>,
    seen: HashSet<String>,
    /// The number of elements that are not bugs.
    others: u64,
    bytes: usize,
    bugs: VecDeque<Bug>,
    is_over: bool,
    truncation: Arc<OnceLock<Truncation>>,
}

impl Pages {
    pub(super) fn new(list: ListBugs, truncation: Arc<OnceLock<Truncation>>) -> Self {
        Self {
            list,
            offset: None,
            seen: HashSet::new(),
            others: 0,
            bytes: 0,
            bugs: VecDeque::new(),
            is_over: false,
            truncation,
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
                None => self.list.page().await?,
                offset => self.list.page_at(offset).await?,
            };
            self.take(page);
        }
    }

    fn take(&mut self, page: BugPage) {
        let start = self.offset.unwrap_or_else(|| self.list.start());
        let end = start.saturating_add(page.length as u64);
        self.offset = Some(end);
        let is_last = page.length == 0 || page.is_said_to_be_last(end);
        let says_more = page.has_more == Some(true);
        let (total, others) = (page.total, page.length - page.bugs.len());
        self.others += others as u64;
        let before = self.seen.len();
        for bug in page.bugs {
            if !self.seen.insert(bug.key()) {
                continue;
            }
            self.bytes = self.bytes.saturating_add(bug.raw.to_string().len());
            if self.seen.len() as u64 > self.list.max_bugs {
                return self.end(Truncation::MaxBugs);
            }
            if self.bytes > self.list.max_bytes {
                return self.end(Truncation::MaxBytes);
            }
            self.bugs.push_back(bug);
        }
        let read = self.seen.len() as u64 + self.others;
        if is_last {
            let expected = total.unwrap_or(0).saturating_sub(self.list.start());
            if says_more || expected > read {
                self.end(Truncation::FewerThanCounted);
            }
            self.is_over = true;
        } else if self.seen.len() == before && others == 0 {
            self.end(Truncation::RepeatedPage);
        } else if read >= self.list.max_bugs {
            self.end(Truncation::MaxBugs);
        }
    }

    /// Ends the walk, although there may be more.
    fn end(&mut self, truncation: Truncation) {
        self.is_over = true;
        // A walk ends once.
        let _ = self.truncation.set(truncation);
    }
}

impl fmt::Display for Truncation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RepeatedPage => "the service sent the same bugs again",
            Self::FewerThanCounted => {
                "the service says that there are more, and does not send them"
            }
            Self::MaxBugs => "the limit on the number of bugs is reached",
            Self::MaxBytes => "the limit on the size of the list is reached",
        })
    }
}
