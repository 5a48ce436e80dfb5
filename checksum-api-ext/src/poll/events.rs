//! The stream of events of one wait.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, poll_fn};

use super::event::Event;
use super::pollable::{Pollable, Status};
use super::poller::Poller;
use crate::error::Error;

/// The events of one wait, as a stream. Dropping it stops polling and nothing else.
///
/// The last item is [`Event::Finished`], or the error that ended the wait.
#[must_use = "nothing is polled until `next` is awaited"]
pub struct Events<S, R>(BoxStream<'static, Result<Event<S, R>, Error>>);

impl<S: Send + 'static, R: Send + 'static> Events<S, R> {
    pub(crate) fn new<P>(mut poller: Poller<P>) -> Self
    where
        P: Pollable<Status = S, Report = R>,
        S: Status,
    {
        let events = poll_fn(move |context| poller.poll_next(context));
        Self(Box::pin(events.map(|(_, _, event)| event)))
    }
}

impl<S, R> Events<S, R> {
    /// Waits for the next event. Returns `None` after the last one.
    ///
    /// This method is cancel-safe: if its future is dropped, no event is lost.
    ///
    /// # Errors
    ///
    /// As for [`Run::wait`](crate::Run::wait). An error is the last item.
    pub async fn next(&mut self) -> Option<Result<Event<S, R>, Error>> {
        self.0.next().await
    }
}

impl<S, R> Stream for Events<S, R> {
    type Item = Result<Event<S, R>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<S, R> fmt::Debug for Events<S, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Events").finish_non_exhaustive()
    }
}
