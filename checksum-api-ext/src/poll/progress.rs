use std::collections::VecDeque;
use std::time::Duration;

use checksum_api::ErrorKind;
use tokio::time::{Instant, timeout_at};

use super::pace::{Pace, Pacer};
use super::{Event, PollPolicy, Pollable, Trouble};
use crate::Error;

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How far one wait has come. It knows what follows from a look, and looks at nothing itself.
pub(crate) struct Progress<P: Pollable> {
    started: Instant,
    last: Option<P::Status>,
    pace: Pace,
    trouble_since: Option<Instant>,
}

/// What one look has brought.
pub(crate) struct Seen<P: Pollable> {
    status: P::Status,
    /// What is known at the end, where this is it.
    end: Option<P::End>,
}

type Events<P> = VecDeque<Event<<P as Pollable>::Change, <P as Pollable>::End>>;

impl<P: Pollable> Progress<P> {
    pub(crate) fn new(pacer: &Pacer) -> Self {
        Self {
            started: Instant::now(),
            last: None,
            pace: pacer.quick(),
            trouble_since: None,
        }
    }

    /// When the wait ends whatever is seen. A deadline beyond what the clock can tell is none.
    pub(crate) fn deadline(&self, policy: &PollPolicy) -> Option<Instant> {
        policy
            .deadline
            .and_then(|after| self.started.checked_add(after))
    }

    /// What follows from a look: events, and when to look again. Without such a time the wait has
    /// ended; an error ends it too.
    pub(crate) fn learn(
        &mut self,
        target: &P,
        looked: Result<Seen<P>, Error>,
        pacer: &mut Pacer,
        events: &mut Events<P>,
    ) -> Result<Option<Instant>, Error> {
        let pause = match looked {
            Ok(seen) => self.saw(seen, pacer, events),
            Err(Error::Request(error)) if self.may_pass(target, &error, &pacer.policy) => {
                let trouble = self.bear(target, error, pacer)?;
                let pause = trouble.next_look_in;
                events.push_back(Event::Trouble(trouble));
                Some(pause)
            }
            Err(error) => return Err(error),
        };
        // A pause beyond what the clock can tell is one of a century.
        Ok(pause.map(|pause| {
            let now = Instant::now();
            now.checked_add(pause).unwrap_or(now + CENTURY)
        }))
    }

    fn saw(
        &mut self,
        seen: Seen<P>,
        pacer: &mut Pacer,
        events: &mut Events<P>,
    ) -> Option<Duration> {
        if let Some(since) = self.trouble_since.take() {
            let after = since.elapsed();
            events.push_back(Event::Recovered { after });
        }
        let changes = P::changes(self.last.as_ref(), &seen.status);
        if !changes.is_empty() {
            self.pace = pacer.quick();
        }
        events.extend(changes.into_iter().map(Event::Changed));
        self.last = Some(seen.status);
        match seen.end {
            Some(end) => {
                events.push_back(Event::Finished(end));
                None
            }
            None => Some(pacer.pause(&mut self.pace, self.started.elapsed())),
        }
    }

    fn may_pass(&self, target: &P, error: &checksum_api::Error, policy: &PollPolicy) -> bool {
        let is_unknown_yet = error.kind() == ErrorKind::NotFound
            && self.last.is_none()
            && target.is_fresh()
            && self.started.elapsed() < policy.grace;
        error.is_transient() || is_unknown_yet
    }

    fn bear(
        &mut self,
        target: &P,
        error: checksum_api::Error,
        pacer: &mut Pacer,
    ) -> Result<Trouble, Error> {
        let lasting = self
            .trouble_since
            .get_or_insert_with(Instant::now)
            .elapsed();
        if lasting >= pacer.policy.patience {
            return Err(Error::GaveUp {
                what: target.name(),
                after: lasting,
                last_failure: error,
            });
        }
        let paced = pacer.pause(&mut self.pace, self.started.elapsed());
        Ok(Trouble {
            next_look_in: error.retry_after().unwrap_or(paced),
            error,
            lasting,
        })
    }

    pub(crate) fn timed_out(&self, target: &P) -> Error {
        Error::WaitTimedOut {
            what: target.name(),
            after: self.started.elapsed(),
            last_seen: self
                .last
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), P::state),
        }
    }
}

impl<P: Pollable> Seen<P> {
    /// Looks, and learns at the end what only the end makes known. `None` where the deadline
    /// passed first.
    pub(crate) async fn look(
        target: &mut P,
        deadline: Option<Instant>,
    ) -> Option<Result<Self, Error>> {
        let looked = match deadline {
            None => target.look().await,
            Some(deadline) => timeout_at(deadline, target.look()).await.ok()?,
        };
        Some(match looked {
            Err(error) => Err(error),
            Ok(status) => {
                let end = match P::has_ended(&status) {
                    false => None,
                    true => Some(target.end(status.clone(), deadline).await),
                };
                Ok(Self { status, end })
            }
        })
    }
}
