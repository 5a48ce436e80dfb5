use std::collections::VecDeque;
use std::time::Duration;

use checksum_api::ErrorKind;
use futures_core::Stream;
use futures_util::stream;
use tokio::time::{Instant, sleep, timeout_at};

use super::pace::Pace;
use super::{Event, PollPolicy, Trouble};
use crate::Error;

/// Work that goes on elsewhere and is looked at until it has ended.
pub(crate) trait Pollable: Send {
    /// What a look sees.
    type Status: Send;
    /// What is different from the last look.
    type Change: Send;
    /// What is known at the end.
    type End: Send;

    /// The work, as in `run job-name-12345`.
    fn name(&self) -> String;

    /// Looks once.
    fn look(&mut self) -> impl Future<Output = Result<Self::Status, Error>> + Send;

    /// Whether the work has ended.
    fn has_ended(status: &Self::Status) -> bool;

    /// The state, for a person.
    fn state(status: &Self::Status) -> String;

    /// What is different, in order.
    fn changes(previous: Option<&Self::Status>, current: &Self::Status) -> Vec<Self::Change>;

    /// Learns what only the end makes known, no longer than to the deadline.
    fn end(
        &mut self,
        status: Self::Status,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Self::End> + Send;

    /// Whether this process has just started the work, so that the service may not know it yet.
    fn is_fresh(&self) -> bool;
}

/// One wait: looks, pauses, and reports what it learns. It is the only loop of its kind.
pub(crate) struct Watch<P: Pollable> {
    target: P,
    policy: PollPolicy,
    pace: Pace,
    started: Instant,
    /// Before the next look; none before the first.
    pause: Option<Duration>,
    last: Option<P::Status>,
    trouble_since: Option<Instant>,
    events: VecDeque<Event<P::Change, P::End>>,
    is_over: bool,
}

impl<P: Pollable> Watch<P> {
    pub(crate) fn new(target: P, policy: PollPolicy) -> Self {
        Self {
            target,
            policy,
            pace: Pace::new(policy),
            started: Instant::now(),
            pause: None,
            last: None,
            trouble_since: None,
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
                    tracing::warn!(error = %trouble, "trouble while waiting");
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
        let deadline = self.deadline();
        let pause = self.pause;
        let target = &mut self.target;
        let look = async {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            target.look().await
        };
        let looked = match deadline {
            None => look.await,
            Some(deadline) => match timeout_at(deadline, look).await {
                Ok(looked) => looked,
                Err(_) => return Err(self.timed_out()),
            },
        };
        match looked {
            Ok(status) => {
                self.saw(status).await;
                Ok(())
            }
            Err(Error::Request(error)) if self.may_pass(&error) => self.bear(error),
            Err(error) => Err(error),
        }
    }

    async fn saw(&mut self, status: P::Status) {
        if let Some(since) = self.trouble_since.take() {
            let after = since.elapsed();
            self.events.push_back(Event::Recovered { after });
        }
        let changes = P::changes(self.last.as_ref(), &status);
        if !changes.is_empty() {
            self.pace.quicken();
        }
        self.events.extend(changes.into_iter().map(Event::Changed));
        if P::has_ended(&status) {
            self.is_over = true;
            let end = self.target.end(status, self.deadline()).await;
            self.events.push_back(Event::Finished(end));
        } else {
            self.last = Some(status);
            self.pause = Some(self.pace.pause(self.started.elapsed()));
        }
    }

    fn deadline(&self) -> Option<Instant> {
        // A deadline beyond what the clock can tell is none.
        self.policy
            .deadline
            .and_then(|after| self.started.checked_add(after))
    }

    fn may_pass(&self, error: &checksum_api::Error) -> bool {
        let is_unknown_yet = error.kind() == ErrorKind::NotFound
            && self.last.is_none()
            && self.target.is_fresh()
            && self.started.elapsed() < self.policy.grace;
        error.is_transient() || is_unknown_yet
    }

    fn bear(&mut self, error: checksum_api::Error) -> Result<(), Error> {
        let lasting = self
            .trouble_since
            .get_or_insert_with(Instant::now)
            .elapsed();
        if lasting >= self.policy.patience {
            return Err(Error::GaveUp {
                what: self.target.name(),
                after: lasting,
                last_failure: error,
            });
        }
        let paced = self.pace.pause(self.started.elapsed());
        let next_look_in = error.retry_after().unwrap_or(paced);
        self.pause = Some(next_look_in);
        self.events.push_back(Event::Trouble(Trouble {
            error,
            lasting,
            next_look_in,
        }));
        Ok(())
    }

    fn timed_out(&self) -> Error {
        Error::WaitTimedOut {
            what: self.target.name(),
            after: self.started.elapsed(),
            last_seen: self
                .last
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), P::state),
        }
    }
}
