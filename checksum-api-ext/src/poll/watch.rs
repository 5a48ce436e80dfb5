use std::collections::VecDeque;

use futures_core::Stream;
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use super::pace::Pacer;
use super::progress::{Progress, Seen, was_suspended};
use super::{Event, Pollable};
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
    pub(crate) fn new(target: P, pacer: Pacer) -> Self {
        Self {
            progress: Progress::new(&target, &pacer),
            target,
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
                Some(Event::PollFailed(trouble)) => {
                    tracing::warn!(target: TARGET, error = %trouble, "trouble while waiting");
                }
                Some(Event::Changed(_) | Event::PollRecovered { .. }) => {}
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
        let mut suspended = false;
        if let Some(next_look) = self.next_look {
            let deadline = self.progress.deadline(&self.pacer.policy);
            let until = deadline.map_or(next_look, |deadline| deadline.min(next_look));
            let has_to_sleep = until > Instant::now();
            sleep_until(until).await;
            suspended = has_to_sleep && was_suspended(until);
            if until < next_look && !suspended {
                return Err(self.progress.timed_out(&self.target));
            }
        }
        let (plan, looked) = loop {
            let plan = self.progress.plan(&self.pacer.policy, suspended);
            let plan = plan.ok_or_else(|| self.progress.timed_out(&self.target))?;
            match Seen::look(&mut self.target, plan).await {
                Some(looked) => break (plan, looked),
                None => suspended = self.progress.was_given_up(plan),
            }
            if !suspended {
                return Err(self.progress.timed_out(&self.target));
            }
        };
        self.next_look = self.progress.learn(
            &self.target,
            plan,
            looked,
            &mut self.pacer,
            &mut self.events,
        )?;
        self.is_over = self.next_look.is_none();
        Ok(())
    }
}
