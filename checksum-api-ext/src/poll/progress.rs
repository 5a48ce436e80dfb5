use std::collections::VecDeque;
use std::time::Duration;

use checksum_api::ErrorKind;
use tokio::time::{Instant, timeout_at};

use super::pace::{Pace, Pacer};
use super::{Ended, Event, PollPolicy, Pollable, Trouble};
use crate::Error;

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How many failures in a row are tolerated, however long they take.
const MIN_FAILURES: u32 = 3;

/// How many more polls have to see an end that only seems to be one.
const CONFIRMATIONS: u32 = 3;

/// A process that wakes up so long after a deadline was suspended, and polls once more.
const SUSPENDED: Duration = Duration::from_secs(1);

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

type Events<P> = VecDeque<Event<<P as Pollable>::Change, <P as Pollable>::End>>;

impl<P: Pollable> Progress<P> {
    pub(crate) fn new(target: &P, pacer: &Pacer) -> Self {
        let started = Instant::now();
        let left = |age| pacer.policy.grace.checked_sub(age);
        let grace = target.age().and_then(left);
        Self {
            started,
            grace_until: grace.and_then(|grace| started.checked_add(grace)),
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
    pub(crate) fn plan(&mut self, policy: &PollPolicy) -> Option<PollPlan> {
        let now = Instant::now();
        let deadline = self.deadline(policy);
        let passed = deadline.filter(|deadline| *deadline < now);
        if let Some(passed) = passed {
            let may_poll = !self.has_polled || now - passed > SUSPENDED;
            if self.has_polled_late || !may_poll {
                return None;
            }
            self.has_polled_late = true;
        }
        let is_bound = self.has_polled && passed.is_none();
        Some(PollPlan {
            began: now,
            deadline: deadline.filter(|_| is_bound),
            may_conclude: self.seeming_ends >= CONFIRMATIONS,
        })
    }

    /// Whether the deadline counts, since a poll has been made.
    pub(crate) fn has_polled(&self) -> bool {
        self.has_polled
    }

    /// Whether the process was suspended when the deadline passed, and has yet to poll once more.
    pub(crate) fn was_suspended(&self, policy: &PollPolicy) -> bool {
        let deadline = self.deadline(policy);
        !self.has_polled_late && deadline.is_some_and(|deadline| deadline.elapsed() > SUSPENDED)
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
        if let Some(failing) = self.failing.take() {
            let after = failing.since.elapsed();
            events.push_back(Event::Recovered { after });
        }
        self.seeming_ends = match seen.ended {
            Ended::Perhaps => self.seeming_ends + 1,
            Ended::No | Ended::Yes => 0,
        };
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
    ) -> Result<Trouble, Error> {
        let failing = self.failing.get_or_insert(Failing {
            since: began,
            count: 0,
        });
        failing.count += 1;
        let lasting = failing.since.elapsed();
        let left = pacer.policy.patience.saturating_sub(lasting);
        if left.is_zero() && failing.count >= MIN_FAILURES {
            return Err(Error::GaveUp {
                what: target.name(),
                after: lasting,
                last_failure: error,
            });
        }
        let pause = pacer.pause_after_failure(&mut self.pace, self.started.elapsed());
        // No sooner than the policy says, and no later than when the wait would give up.
        let wanted = error.retry_after().unwrap_or_default().min(left);
        Ok(Trouble {
            next_look_in: pause.max(wanted),
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
