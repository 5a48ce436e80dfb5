//! The bugs of all pages, as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::pages::{Pages, Truncation};
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

impl ListBugs {
    /// Returns a stream of all bugs, page after page. A page is requested when it is needed.
    ///
    /// It ends if the response says so (`total`, `hasMore`, `next`), with an empty page, and with a
    /// page that is shorter than the `limit` in the response. A bug that moves to a later page
    /// while the stream is read is returned once.
    ///
    /// It also ends at [`max_bugs`](Self::max_bugs), at [`max_bytes`](Self::max_bytes), and if a
    /// page has no new bug, as every page would if the service ignored `offset`. Then there may be
    /// more, and [`Bugs::truncation`] returns the reason:
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
        let truncation = Arc::default();
        Bugs {
            stream: Box::pin(Pages::new(self, Arc::clone(&truncation)).stream()),
            truncation,
        }
    }
}

impl Bugs {
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
