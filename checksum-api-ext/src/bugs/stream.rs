//! The bugs of all pages, as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::pages::Pages;
use super::{Bug, ListBugs};
use crate::error::Error;

/// The bugs of all pages, as a stream. Returned by [`ListBugs::into_stream`].
///
/// A list that ends without an error may still be incomplete, since the API's description does
/// not say how it is paged. [`truncation`](Self::truncation) returns the reason after the end.
pub struct Bugs {
    stream: Pin<Box<dyn Stream<Item = Result<Bug, Error>> + Send>>,
    truncation: Arc<OnceLock<Truncation>>,
}

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

impl Bugs {
    pub(super) fn new(list: ListBugs) -> Self {
        let truncation = Arc::default();
        Self {
            stream: Box::pin(Pages::new(list, Arc::clone(&truncation)).stream()),
            truncation,
        }
    }

    /// Returns the next bug; `None` after the last one. An error is the last item.
    pub async fn next(&mut self) -> Option<Result<Bug, Error>> {
        poll_fn(|context| self.stream.as_mut().poll_next(context)).await
    }

    /// Returns why there may be more bugs than the stream returned. `None` if the service says that
    /// the list is complete, and before the last page was read.
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation.get().copied()
    }
}

impl Stream for Bugs {
    type Item = Result<Bug, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Bugs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Bugs");
        shown.field("truncation", &self.truncation());
        shown.finish_non_exhaustive()
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
