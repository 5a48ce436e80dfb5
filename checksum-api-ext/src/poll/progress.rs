use std::collections::VecDeque;
use std::time::Duration;

use checksum_api::ErrorKind;
use tokio::time::{Instant, timeout_at};

use super::pace::{Pace, Pacer};
use super::{Ended, Event, PollFailure, PollPolicy, Pollable};
use crate::Error;

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How many failures in a row are tolerated, however long they take.
const MIN_FAILURES: u32 = 3;

/// How many more polls have to see an end that only seems to be one.
const CONFIRMATIONS: u32 = 3;

/// A process that wakes up so much later than it should was suspended.
const SUSPENDED: Duration = Duration::from_secs(1);

/// How long a first poll, and one after a suspension, may take at least, whatever the deadline.
pub(crate) const MIN_POLL_TIME: Duration = Duration::from_secs(5);

/// How far one wait has come. It knows what follows from a look, and looks at nothing itself.
pub(crate) struct Progress<P: Pollable> {
    started: Instant,
    /// Until then the service may not know the work yet.
    grace_until: Option<Instant>,
    last: Option<P::Status>,
    pace: Pace,
    failing: Option<Failing>,
    /// How many polls in a row have seen what seems to be an end.
    seeming_ends: u32,
    has_polled: bool,
    /// The poll after the deadline has been made.
    has_polled_late: bool,
}

/// Polls that fail, one after the other.
struct Failing {
    since: Instant,
    count: u32,
}

/// What one look has brought.
pub(crate) struct Seen<P: Pollable> {
    status: P::Status,
    ended: Ended,
    /// What is known at the end, where this is it.
    end: Option<P::End>,
}

/// How one poll is to be made.
#[derive(Clone, Copy)]
pub(crate) struct PollPlan {
    began: Instant,
    /// When to give it up.
    deadline: Option<Instant>,
    /// What seems to be an end is one.
    may_conclude: bool,
}

/// Whether the process was suspended when it should have woken up.
pub(crate) fn was_suspended(due: Instant) -> bool {
    due.elapsed() > SUSPENDED
}

type Events<P> = VecDeque<Event<<P as Pollable>::Change, <P as Pollable>::End>>;

impl<P: Pollable> Progress<P> {
    pub(crate) fn new(target: &P, pacer: &Pacer) -> Self {
        let started = Instant::now();
        let not_found_grace = match target.age() {
            Some(age) => pacer.policy.not_found_grace.checked_sub(age),
            None => Some(pacer.policy.not_found_grace_of_unknown_age),
        };
        Self {
            started,
            grace_until: not_found_grace.and_then(|grace| started.checked_add(grace)),
            last: None,
            pace: pacer.quick(),
            failing: None,
            seeming_ends: 0,
            has_polled: false,
            has_polled_late: false,
        }
    }

    /// When the wait ends whatever is seen. A deadline beyond what the clock can tell is none.
    pub(crate) fn deadline(&self, policy: &PollPolicy) -> Option<Instant> {
        policy
            .deadline
            .and_then(|after| self.started.checked_add(after))
    }

    /// How to poll now; `None` where the deadline has passed. Each wait polls once, whatever its
    /// deadline, and once more where the process was suspended when the deadline passed.
    pub(crate) fn plan(&mut self, policy: &PollPolicy, was_suspended: bool) -> Option<PollPlan> {
        let now = Instant::now();
        let plan = |deadline| {
            Some(PollPlan {
                began: now,
                deadline,
                may_conclude: self.seeming_ends >= CONFIRMATIONS,
            })
        };
        let Some(deadline) = self.deadline(policy) else {
            return plan(None);
        };
        if !self.has_polled {
            let deadline = deadline.max(self.started + MIN_POLL_TIME);
            return if now <= deadline {
                plan(Some(deadline))
            } else {
                None
            };
        }
        if now <= deadline {
            return plan(Some(deadline));
        }
        if !was_suspended || self.has_polled_late {
            return None;
        }
        self.has_polled_late = true;
        plan(now.checked_add(MIN_POLL_TIME))
    }

    /// Takes note of a poll that was given up at its deadline, and tells whether the process was
    /// suspended meanwhile.
    pub(crate) fn was_given_up(&mut self, plan: PollPlan) -> bool {
        self.has_polled = true;
        plan.deadline.is_some_and(was_suspended)
    }

    /// When a work that has not been polled has waited for it long enough.
    pub(crate) fn last_start(&self) -> Option<Instant> {
        (!self.has_polled).then(|| self.started + MIN_POLL_TIME)
    }

    /// What follows from a look: events, and when to look again. Without such a time the wait has
    /// ended; an error ends it too.
    pub(crate) fn learn(
        &mut self,
        target: &P,
        plan: PollPlan,
        looked: Result<Seen<P>, Error>,
        pacer: &mut Pacer,
        events: &mut Events<P>,
    ) -> Result<Option<Instant>, Error> {
        self.has_polled = true;
        let pause = match looked {
            Ok(seen) => self.saw(seen, pacer, events),
            Err(Error::Request(error)) if self.may_pass(&error) => {
                let trouble = self.bear(target, plan.began, error, pacer)?;
                let pause = trouble.next_poll_in;
                events.push_back(Event::PollFailed(trouble));
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
        if let Some(failing) = self.failing.take() {
            let after = failing.since.elapsed();
            events.push_back(Event::PollRecovered { after });
        }
        let changes = P::changes(self.last.as_ref(), &seen.status);
        self.seeming_ends = match seen.ended {
            // What still changes has not ended.
            Ended::Perhaps if !changes.is_empty() => 1,
            Ended::Perhaps => self.seeming_ends + 1,
            Ended::No | Ended::Yes => 0,
        };
        if !changes.is_empty() && seen.ended != Ended::Perhaps {
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

    fn may_pass(&self, error: &checksum_api::Error) -> bool {
        let is_unknown_yet = error.kind() == ErrorKind::NotFound
            && self.last.is_none()
            && self.grace_until.is_some_and(|until| Instant::now() < until);
        error.is_transient() || is_unknown_yet
    }

    fn bear(
        &mut self,
        target: &P,
        began: Instant,
        error: checksum_api::Error,
        pacer: &mut Pacer,
    ) -> Result<PollFailure, Error> {
        let failing = self.failing.get_or_insert(Failing {
            since: began,
            count: 0,
        });
        failing.count += 1;
        let lasting = failing.since.elapsed();
        let left = pacer.policy.error_timeout.saturating_sub(lasting);
        // A run that is not known yet is no failure.
        if error.is_transient() && left.is_zero() && failing.count >= MIN_FAILURES {
            return Err(Error::GaveUp {
                what: target.name(),
                after: lasting,
                last_failure: error,
            });
        }
        let pause = pacer.pause_after_failure(&mut self.pace, self.started.elapsed());
        // No sooner than the policy says, and no later than when the wait would give up.
        let wanted = error.retry_after().unwrap_or_default().min(left);
        Ok(PollFailure {
            next_poll_in: pause.max(wanted),
            error,
            failing_for: lasting,
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
    pub(crate) async fn look(target: &mut P, plan: PollPlan) -> Option<Result<Self, Error>> {
        let looked = match plan.deadline {
            None => target.look().await,
            Some(deadline) => timeout_at(deadline, target.look()).await.ok()?,
        };
        Some(match looked {
            Err(error) => Err(error),
            Ok(status) => {
                let ended = P::ended(&status);
                let is_end = ended == Ended::Yes || (ended == Ended::Perhaps && plan.may_conclude);
                let end = match is_end {
                    false => None,
                    true => Some(target.end(status.clone(), plan.deadline).await),
                };
                Ok(Self { status, ended, end })
            }
        })
    }
}
