use std::collections::VecDeque;

use futures_core::Stream;
use futures_util::stream;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::pace::Pacer;
use super::progress::{Progress, Seen};
use super::{Event, PollPolicy, Pollable};
use crate::{Error, TARGET};

/// One wait: looks, pauses, and reports what it learns.
pub(crate) struct Watch<P: Pollable> {
    target: P,
    pacer: Pacer,
    progress: Progress<P>,
    /// None before the first look, which is made at once, and after the last.
    next_look: Option<Instant>,
    events: VecDeque<Event<P::Change, P::End>>,
    is_over: bool,
}

impl<P: Pollable> Watch<P> {
    pub(crate) fn new(target: P, policy: PollPolicy) -> Self {
        let pacer = Pacer::new(policy);
        Self {
            target,
            progress: Progress::new(&pacer),
            pacer,
            next_look: None,
            events: VecDeque::new(),
            is_over: false,
        }
    }

    /// Waits to the end.
    pub(crate) async fn end(mut self) -> Result<P::End, Error> {
        loop {
            match self.next().await? {
                Some(Event::Finished(end)) => return Ok(end),
                Some(Event::Trouble(trouble)) => {
                    tracing::warn!(target: TARGET, error = %trouble, "trouble while waiting");
                }
                Some(Event::Changed(_) | Event::Recovered { .. }) => {}
                None => unreachable!("a watch ends with its last event or with an error"),
            }
        }
    }

    /// Everything that happens, to the end. An error is the last item.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Event<P::Change, P::End>, Error>> {
        stream::try_unfold(self, |mut watch| async move {
            Ok(watch.next().await?.map(|event| (event, watch)))
        })
    }

    async fn next(&mut self) -> Result<Option<Event<P::Change, P::End>>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.step().await?;
        }
    }

    /// One pause and one look.
    async fn step(&mut self) -> Result<(), Error> {
        let deadline = self.progress.deadline(&self.pacer.policy);
        if let Some(next_look) = self.next_look {
            let pause = sleep_until(next_look);
            match deadline {
                None => pause.await,
                Some(deadline) => timeout_at(deadline, pause)
                    .await
                    .map_err(|_| self.progress.timed_out(&self.target))?,
            }
        }
        let looked = Seen::look(&mut self.target, deadline)
            .await
            .ok_or_else(|| self.progress.timed_out(&self.target))?;
        self.next_look =
            self.progress
                .learn(&self.target, looked, &mut self.pacer, &mut self.events)?;
        self.is_over = self.next_look.is_none();
        Ok(())
    }
}
