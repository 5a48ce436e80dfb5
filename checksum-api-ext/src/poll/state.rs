//! The state machine of one wait. It performs no I/O.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::event::{Event, PollFailure};
use super::policy::PollPolicy;
use super::pollable::{Pollable, Status, Terminal};
use crate::error::Error;

/// The minimum number of failures in a row before a wait fails, however long they take.
const MIN_FAILURES: u32 = 3;

/// How many more polls must return a status that is perhaps terminal before it counts as terminal.
const CONFIRMATIONS: u8 = 3;

/// A process that wakes up later than it should by more than this was suspended.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// The minimum time that the first poll, and a poll after a suspension, may take, whatever the
/// deadline.
const MIN_POLL_TIME: Duration = Duration::from_secs(5);

/// Stands for a time that is too late for `Instant`: a hundred years.
const NEVER: Duration = Duration::from_secs(3_153_600_000);

/// Stands for an age that is not known.
const UNKNOWN: u32 = u32::MAX;

/// What changes while one work is polled. A set has thousands of them, so that it holds nothing that the
/// policy says, and rare parts are boxed.
pub(super) struct PollState<P: Pollable> {
    started: Instant,
    last: Option<<P::Status as Status>::Kept>,
    backoff: Backoff,
    failing: Option<Box<Failing>>,
    /// The age of the work when the wait started, in milliseconds, up to 49 days.
    initial_age: u32,
    /// How many polls in a row returned a status that is perhaps terminal.
    perhaps_terminal: u8,
    has_polled: bool,
    suspension: Suspension,
    pub(super) stage: Stage,
}

#[derive(PartialEq, Eq)]
pub(super) enum Stage {
    Idle,
    /// A poll is in flight; it enforces the deadline itself.
    InFlight,
    /// The final event is queued but not yet yielded. Until then the work counts as polled.
    Done,
}

/// Polls that failed, one after the other.
struct Failing {
    since: Instant,
    count: u32,
}

/// Whether the process was suspended when the deadline passed.
#[derive(PartialEq, Eq)]
enum Suspension {
    None,
    /// It was, and the wait may poll once more.
    MayPoll,
    /// It was, and the wait has polled once more.
    HasPolled,
}

/// How one poll is to be made.
#[derive(Clone, Copy)]
pub(super) struct PollPlan {
    began: Instant,
    /// When to stop waiting for the response.
    pub(super) deadline: Option<Instant>,
    /// Whether a status that is perhaps terminal counts as terminal.
    pub(super) perhaps_is_terminal: bool,
}

/// The result of one poll.
pub(super) struct PollOutcome<P: Pollable> {
    pub(super) status: P::Status,
    pub(super) terminal: Terminal,
    /// Present if the work is done.
    pub(super) report: Option<P::Report>,
}

/// What to do once a deadline is due.
pub(super) enum Expiry {
    /// Wait until then, because the work may still be polled once.
    Later(Instant),
    /// Poll now, and check again at this time.
    PollUntil(Instant),
    TimedOut,
}

type Events<P> = Vec<Event<<P as Pollable>::Status, <P as Pollable>::Report>>;

impl<P: Pollable> PollState<P> {
    /// Each `number` has its own jitter, even if the policy has a seed.
    pub(super) fn new(work: &P, policy: &PollPolicy, number: u64) -> Self {
        let in_milliseconds = |age: Duration| u32::try_from(age.as_millis()).unwrap_or(UNKNOWN - 1);
        Self {
            started: Instant::now(),
            last: None,
            backoff: Backoff::new(policy, number),
            failing: None,
            initial_age: work.age().map_or(UNKNOWN, in_milliseconds),
            perhaps_terminal: 0,
            has_polled: false,
            suspension: Suspension::None,
            stage: Stage::Idle,
        }
    }

    /// Returns the age of the work when the wait started, if it is known.
    fn initial_age(&self) -> Option<Duration> {
        let is_known = self.initial_age != UNKNOWN;
        is_known.then(|| Duration::from_millis(self.initial_age.into()))
    }

    /// Returns how long ago the work was started. Work of unknown age counts as new.
    fn age(&self, now: Instant) -> Duration {
        now - self.started + self.initial_age().unwrap_or_default()
    }

    /// Returns until when 404 is tolerated.
    fn not_found_until(&self, policy: &PollPolicy) -> Option<Instant> {
        let grace = match self.initial_age() {
            Some(age) => policy.not_found_grace.checked_sub(age)?,
            None => policy.not_found_grace_of_unknown_age,
        };
        self.started.checked_add(grace)
    }

    /// Returns when the work is likely to have ended, if its poll was due at that time. Work that has
    /// not been polled has gone on for as long as it is known to exist.
    pub(super) fn likely_end(&self, policy: &PollPolicy, due: Instant) -> Instant {
        let known = match (self.has_polled, self.initial_age) {
            (true, _) => self.age(due),
            (false, UNKNOWN) => return due,
            (false, _) => Duration::ZERO,
        };
        let Some(likely_age) = policy.expected.likely_end(known) else {
            return due;
        };
        let left = likely_age.saturating_sub(self.initial_age().unwrap_or_default());
        let end = self.started.checked_add(left).unwrap_or(due + NEVER);
        // Each wait polls once, and the deadline of this one would come first.
        let is_too_late = !self.has_polled && self.deadline(policy).is_some_and(|at| at <= end);
        if is_too_late { due } else { end }
    }

    /// Returns the deadline. One that `Instant` cannot represent counts as none.
    pub(super) fn deadline(&self, policy: &PollPolicy) -> Option<Instant> {
        self.started.checked_add(policy.deadline?)
    }

    /// Returns how to poll now, or `None` if the deadline has passed. Each wait polls once, whatever
    /// its deadline, and once more if the process was suspended when the deadline passed.
    pub(super) fn plan(&mut self, policy: &PollPolicy, now: Instant) -> Option<PollPlan> {
        let mut deadline = self.deadline(policy);
        if !self.has_polled {
            deadline = deadline.max(deadline.map(|_| self.started + MIN_POLL_TIME));
        }
        if deadline.is_some_and(|deadline| now > deadline) {
            if self.suspension != Suspension::MayPoll {
                return None;
            }
            self.suspension = Suspension::HasPolled;
            deadline = Some(now + MIN_POLL_TIME);
        }
        Some(PollPlan {
            began: now,
            deadline,
            perhaps_is_terminal: self.perhaps_terminal >= CONFIRMATIONS,
        })
    }

    /// Returns what follows when `at`, the deadline or a time that this function returned, has passed
    /// while no poll is in flight.
    pub(super) fn expire(&mut self, at: Instant) -> Expiry {
        let now = Instant::now();
        let first = (!self.has_polled).then(|| self.started + MIN_POLL_TIME);
        if let Some(first) = first.filter(|first| *first > now) {
            Expiry::Later(first)
        } else if self.is_suspended_since(at) {
            Expiry::PollUntil(now + MIN_POLL_TIME)
        } else {
            Expiry::TimedOut
        }
    }

    /// Returns whether the process was suspended at that time. Only the first suspension counts.
    fn is_suspended_since(&mut self, at: Instant) -> bool {
        let is_suspended = self.suspension == Suspension::None && at.elapsed() > MAX_DELAY;
        if is_suspended {
            self.suspension = Suspension::MayPoll;
        }
        is_suspended
    }

    /// Returns what follows from the result of a poll: events, and when to poll again, or no time
    /// if the work is done. The result is `None` if the deadline passed first. An error ends the
    /// wait.
    pub(super) fn on_result(
        &mut self,
        work: &P,
        policy: &PollPolicy,
        plan: PollPlan,
        result: Option<Result<PollOutcome<P>, Error>>,
        events: &mut Events<P>,
    ) -> Result<Option<Instant>, Error> {
        self.has_polled = true;
        let now = Instant::now();
        let interval = match result {
            None => match plan.deadline.is_some_and(|at| self.is_suspended_since(at)) {
                true => Some(Duration::ZERO),
                false => return Err(self.timed_out(work)),
            },
            Some(Ok(outcome)) => self.on_outcome(policy, now, outcome, events),
            Some(Err(error)) => {
                let failure = self.on_failure(work, policy, now, plan, error)?;
                let interval = failure.next_poll_in;
                events.push(Event::PollFailed(failure));
                Some(interval)
            }
        };
        let Some(interval) = interval else {
            return Ok(None);
        };
        // The deadline passed while the poll was in flight, whose result counts.
        let is_over = self
            .deadline(policy)
            .is_some_and(|deadline| deadline <= now);
        if is_over && self.suspension != Suspension::MayPoll {
            return Err(self.timed_out(work));
        }
        Ok(Some(now.checked_add(interval).unwrap_or(now + NEVER)))
    }

    fn on_outcome(
        &mut self,
        policy: &PollPolicy,
        now: Instant,
        outcome: PollOutcome<P>,
        events: &mut Events<P>,
    ) -> Option<Duration> {
        let PollOutcome {
            status,
            terminal,
            report,
        } = outcome;
        if let Some(failing) = self.failing.take() {
            let after = now - failing.since;
            events.push(Event::PollRecovered { after });
        }
        let previous = self.last.as_ref();
        let has_changed = previous.is_none_or(|previous| status.differs_from(previous));
        self.perhaps_terminal = match terminal {
            // Work that still changes is not done.
            Terminal::Perhaps if has_changed => 1,
            Terminal::Perhaps => self.perhaps_terminal.saturating_add(1),
            Terminal::No | Terminal::Yes => 0,
        };
        if has_changed {
            if terminal != Terminal::Perhaps {
                self.backoff.on_change(policy);
            }
            let previous = self.last.replace(status.clone().keep());
            let previous = previous.map(Status::restore);
            let current = status;
            events.push(Event::Changed { previous, current });
        } else {
            self.last = Some(status.keep());
        }
        match report {
            Some(report) => {
                events.push(Event::Finished(report));
                None
            }
            None => Some(self.backoff.next_interval(policy, self.age(now))),
        }
    }

    fn on_failure(
        &mut self,
        work: &P,
        policy: &PollPolicy,
        now: Instant,
        plan: PollPlan,
        error: Error,
    ) -> Result<PollFailure, Error> {
        let is_too_new = error.is_not_found()
            && self.last.is_none()
            && self
                .not_found_until(policy)
                .is_some_and(|until| now < until);
        if !is_too_new && !policy.is_outage(&error) {
            // A service that has returned a status knows the work.
            return Err(match self.last {
                Some(_) => error.of_poll(work.key(), true),
                None => error,
            });
        }
        let failing = self.failing.get_or_insert_with(|| {
            Box::new(Failing {
                since: plan.began,
                count: 0,
            })
        });
        failing.count += 1;
        let failing_for = now - failing.since;
        let left = policy.error_timeout.saturating_sub(failing_for);
        if !is_too_new && left.is_zero() && failing.count >= MIN_FAILURES {
            let failed = Error::polling_failed(&work.describe(), failing_for, &error);
            return Err(failed.with_handle_key(work.key()));
        }
        let age = self.age(now);
        let next_poll_in =
            self.backoff
                .next_interval_after_failure(policy, age, error.retry_after(), left);
        Ok(PollFailure {
            error,
            failing_for,
            next_poll_in,
        })
    }

    pub(super) fn timed_out(&mut self, work: &P) -> Error {
        let last: Option<P::Status> = self.last.take().map(Status::restore);
        let last_state = last.as_ref().map(Status::state);
        let exceeded =
            Error::deadline_exceeded(&work.describe(), self.started.elapsed(), last_state);
        exceeded.with_handle_key(work.key())
    }
}
