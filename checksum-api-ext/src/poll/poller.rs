//! The one loop that polls: a single run or batch, or many of them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};
use tracing::Span;

use super::event::Event;
use super::in_flight::{Completed, InFlight, Job};
use super::policy::PollPolicy;
use super::pollable::Pollable;
use super::schedule::Schedule;
use super::state::{Expiry, PollState, Stage};
use super::throttle::Throttle;
use super::works::Works;
use crate::error::Error;
use crate::telemetry::{TARGET, WaitSpan};

/// Polls each work until it is done. Works are known by the number that [`insert`](Self::insert)
/// returns.
pub(crate) struct Poller<P: Pollable> {
    policy: PollPolicy,
    max_concurrent: usize,
    works: Works<Entry<P>>,
    /// When to poll each work next. It may have entries of removed works.
    due: Schedule,
    /// The works whose poll is due, by when they are likely to have ended. It may have entries of removed
    /// works.
    overdue: Schedule,
    /// When to check the deadline of each work. It may have entries of removed works.
    deadlines: Schedule,
    in_flight: InFlight<P>,
    ready: VecDeque<(u64, EventOf<P>)>,
    throttle: Throttle,
    /// Created when it is first needed, because it needs a runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

/// The number of a work, the work and its event; `None` if there is no work.
type Next<P> = Option<(u64, Arc<P>, EventOf<P>)>;

type EventOf<P> = Result<Event<<P as Pollable>::Status, <P as Pollable>::Report>, Error>;

struct Entry<P: Pollable> {
    work: Arc<P>,
    state: PollState<P>,
    /// Present if something listens, until the wait has ended.
    span: Option<Box<WaitSpan>>,
}

/// Waits until the work is done.
pub(crate) async fn until_done<P: Pollable>(
    work: P,
    policy: PollPolicy,
) -> Result<P::Report, Error> {
    let mut poller = Poller::of_one(work, policy);
    loop {
        match poll_fn(|context| poller.poll_next(context)).await {
            Some((_, _, Ok(Event::Finished(report)))) => return Ok(report),
            Some((_, _, Ok(Event::PollFailed(failure)))) => {
                let span = poller.span_of_one();
                span.in_scope(|| tracing::warn!(target: TARGET, error = %failure, "poll failed"));
            }
            Some((_, _, Ok(Event::Changed { .. } | Event::PollRecovered { .. }))) => {}
            Some((_, _, Err(error))) => return Err(error),
            None => unreachable!("a wait ends with its last event or with an error"),
        }
    }
}

impl<P: Pollable> Poller<P> {
    pub(crate) fn new(policy: PollPolicy, max_concurrent: usize) -> Self {
        Self {
            policy,
            max_concurrent,
            works: Works::new(),
            due: Schedule::new(),
            overdue: Schedule::new(),
            deadlines: Schedule::new(),
            in_flight: InFlight::new(),
            ready: VecDeque::new(),
            throttle: Throttle::new(&policy),
            timer: None,
        }
    }

    /// Creates a poller of one work, whose policy alone decides when to poll.
    pub(crate) fn of_one(work: P, policy: PollPolicy) -> Self {
        let mut poller = Self::new(policy, usize::MAX);
        poller.insert(work);
        poller
    }

    /// Returns the span of the only work, if something listens.
    fn span_of_one(&self) -> Span {
        let mut spans = self.works.iter().filter_map(|entry| entry.span.as_ref());
        spans.next().map_or_else(Span::none, |span| span.span())
    }

    /// Sets how many polls may be in flight at once; at least 1.
    pub(crate) fn set_max_concurrent(&mut self, polls: usize) {
        self.max_concurrent = polls.max(1);
    }

    pub(crate) fn insert(&mut self, work: P) -> u64 {
        let policy = &self.policy;
        let number = self.works.insert(|number| Entry {
            state: PollState::new(&work, policy, number),
            span: WaitSpan::new(|| work.key()),
            work: Arc::new(work),
        });
        // Drops the entries of removed works, so that they do not accumulate.
        for schedule in [&mut self.overdue, &mut self.deadlines] {
            if schedule.len() > 2 * self.works.len() + 16 {
                schedule.retain(|number| self.works.get(number).is_some());
            }
        }
        let now = Instant::now();
        if let Some(entry) = self.works.get(number) {
            let likely_end = entry.state.likely_end(policy, now);
            self.overdue.push(likely_end, number);
            if let Some(deadline) = entry.state.deadline(policy) {
                self.deadlines.push(deadline, number);
            }
        }
        number
    }

    /// Stops polling a work. Nothing more is reported of it.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Arc<P>> {
        self.ready.retain(|(of, _)| *of != number);
        self.works.remove(number).map(|entry| entry.work)
    }

    /// Returns each work whose final event has not been yielded, in no particular order.
    pub(crate) fn works(&self) -> impl Iterator<Item = &P> {
        self.works.iter().map(|entry| &*entry.work)
    }

    /// Returns one of them.
    pub(crate) fn work(&self, number: u64) -> Option<&P> {
        self.works.get(number).map(|entry| &*entry.work)
    }

    /// Returns how many there are of them.
    pub(crate) fn len(&self) -> usize {
        self.works.len()
    }

    /// Returns the next event, and the work with its number. The work is removed with its final event.
    /// Returns `None` if there is no work.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Next<P>> {
        loop {
            if let Some((number, event)) = self.ready.pop_front() {
                let work = match event {
                    Ok(Event::Finished(_)) | Err(_) => self.works.remove(number).map(|e| e.work),
                    Ok(_) => self.works.get(number).map(|entry| Arc::clone(&entry.work)),
                };
                match work {
                    Some(work) => return Poll::Ready(Some((number, work, event))),
                    None => continue,
                }
            }
            if let Poll::Ready(Some(completed)) = self.in_flight.poll_next(context) {
                self.on_completed(completed);
                continue;
            }
            self.expire_deadlines();
            if !self.ready.is_empty() {
                continue;
            }
            let Err(start) = self.start_next() else {
                continue;
            };
            if self.works.len() == 0 {
                return Poll::Ready(None);
            }
            let deadline = self.deadlines.peek().map(|(at, _)| at);
            match start.into_iter().chain(deadline).min() {
                None => return Poll::Pending,
                Some(at) => {
                    let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
                    timer.as_mut().reset(at);
                    ready!(timer.as_mut().poll(context));
                }
            }
        }
    }

    /// Starts the poll that is the likeliest to find an end, of those that are due. If none can start
    /// now, returns the time at which one can, or `None` if that does not depend on time.
    fn start_next(&mut self) -> Result<(), Option<Instant>> {
        if self.in_flight.len() >= self.throttle.current_concurrency(self.max_concurrent) {
            return Err(None);
        }
        let now = Instant::now();
        let next_due = self.collect_due(now);
        let paused_until = self.throttle.paused_until();
        if paused_until > now {
            let start = match self.overdue.len() {
                0 => next_due.map(|at| at.max(paused_until)),
                _ => Some(paused_until),
            };
            return Err(start);
        }
        while let Some(number) = self.overdue.pop() {
            let Some(entry) = self.works.get_mut(number).filter(|entry| entry.is_idle()) else {
                continue;
            };
            let Some(plan) = entry.state.plan(&self.policy, now) else {
                let error = entry.state.timed_out(&entry.work);
                entry.end(Err(&error));
                self.ready.push_back((number, Err(error)));
                return Ok(());
            };
            entry.state.stage = Stage::InFlight;
            let span = entry.span.as_mut();
            let span = span.map_or_else(Span::none, |span| span.on_poll());
            let work = Arc::clone(&entry.work);
            self.in_flight.push(Job { number, work, plan }, span);
            return Ok(());
        }
        Err(next_due)
    }

    /// Moves the works whose poll is due to `overdue`. Returns when the next one is due.
    fn collect_due(&mut self, now: Instant) -> Option<Instant> {
        while let Some((at, number)) = self.due.peek() {
            let entry = self.works.get(number).filter(|entry| entry.is_idle());
            if entry.is_some() && at > now {
                return Some(at);
            }
            self.due.pop();
            if let Some(entry) = entry {
                self.overdue
                    .push(entry.state.likely_end(&self.policy, at), number);
            }
        }
        None
    }

    /// Ends the waits whose deadline has passed, except those that may still poll once.
    fn expire_deadlines(&mut self) {
        while let Some((at, number)) = self.deadlines.peek() {
            let now = Instant::now();
            if at > now {
                return;
            }
            self.deadlines.pop();
            let Some(entry) = self.works.get_mut(number).filter(|entry| entry.is_idle()) else {
                continue;
            };
            match entry.state.expire(at) {
                Expiry::Later(at) => self.deadlines.push(at, number),
                Expiry::PollUntil(at) => {
                    self.deadlines.push(at, number);
                    self.due.push(now, number);
                }
                Expiry::TimedOut => {
                    let error = entry.state.timed_out(&entry.work);
                    entry.end(Err(&error));
                    self.ready.push_back((number, Err(error)));
                }
            }
        }
    }

    fn on_completed(&mut self, completed: Completed<P>) {
        let Completed {
            number,
            plan,
            result,
        } = completed;
        let Some(entry) = self.works.get_mut(number) else {
            return;
        };
        let is_success = matches!(&result, Some(Ok(_)));
        let failure = match &result {
            Some(Err(error)) if self.policy.is_outage(error) => Some(error.retry_after().is_some()),
            _ => None,
        };
        let outcome = match (&mut entry.span, &result) {
            (Some(_), Some(Ok(outcome))) => outcome.report.as_ref().map(P::outcome),
            (Some(span), _) => {
                span.on_failure();
                None
            }
            (None, _) => None,
        };
        let mut events = Vec::new();
        let next = entry
            .state
            .on_result(&entry.work, &self.policy, plan, result, &mut events);
        if is_success {
            self.throttle.on_success(&self.policy);
        } else if let Some(has_retry_after) = failure {
            let requested_pause = events.iter().find_map(|event| match event {
                Event::PollFailed(failure) if has_retry_after => Some(failure.next_poll_in),
                _ => None,
            });
            self.throttle
                .on_transient_error(&self.policy, self.max_concurrent, requested_pause);
        }
        let events = events.into_iter().map(|event| (number, Ok(event)));
        self.ready.extend(events);
        match next {
            Ok(Some(at)) => {
                entry.state.stage = Stage::Idle;
                self.due.push(at, number);
            }
            Ok(None) => entry.end(Ok(&outcome.unwrap_or_default())),
            Err(error) => {
                entry.end(Err(&error));
                self.ready.push_back((number, Err(error)));
            }
        }
    }
}

impl<P: Pollable> Entry<P> {
    fn is_idle(&self) -> bool {
        self.state.stage == Stage::Idle
    }

    /// Ends the wait, whose final event is queued or about to be.
    fn end(&mut self, end: Result<&str, &Error>) {
        self.state.stage = Stage::Done;
        if let Some(span) = self.span.take() {
            span.end(end);
        }
    }
}
