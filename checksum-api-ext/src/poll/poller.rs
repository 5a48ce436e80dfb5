//! The one loop that polls: a single run or batch, or many of them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tracing::{Instrument, Span};

use super::event::Event;
use super::policy::PollPolicy;
use super::pollable::{Pollable, Terminal};
use super::state::{Expiry, PollOutcome, PollPlan, PollState};
use super::throttle::Throttle;
use crate::error::Error;
use crate::telemetry::{TARGET, WaitSpan};

/// Polls each work until it is done. Works are known by the number that [`insert`](Self::insert)
/// returns.
pub(crate) struct Poller<P: Pollable> {
    policy: PollPolicy,
    max_concurrent: usize,
    works: HashMap<u64, Entry<P>>,
    next_number: u64,
    /// When to poll each work next. It may have entries of removed works.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The works whose poll is due, by when they are likely to have ended, then by when the poll was due.
    /// It may have entries of removed works.
    overdue: BinaryHeap<Reverse<(Instant, Instant, u64)>>,
    /// When to check the deadline of each work. It may have entries of removed works.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = Completed<P>> + Send>>>,
    ready: VecDeque<(u64, EventOf<P>)>,
    throttle: Throttle,
    /// Created when it is first needed, because it needs a runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

type EventOf<P> = Result<Event<<P as Pollable>::Status, <P as Pollable>::Report>, Error>;

struct Entry<P: Pollable> {
    work: Arc<P>,
    stage: Stage,
    state: PollState<P>,
    /// Present if something listens, until the wait has ended.
    span: Option<Box<WaitSpan>>,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Idle,
    /// A poll is in flight; it enforces the deadline itself.
    InFlight,
    /// The final event is queued but not yet yielded. Until then the work counts as polled.
    Done,
}

/// A poll that is no longer in flight. Its result is `None` if its deadline passed first.
struct Completed<P: Pollable> {
    number: u64,
    plan: PollPlan,
    result: Option<Result<PollOutcome<P>, Error>>,
}

/// Waits until the work is done.
pub(crate) async fn until_done<P: Pollable>(
    work: P,
    policy: PollPolicy,
) -> Result<P::Report, Error> {
    let mut poller = Poller::of_one(work, policy);
    loop {
        match poll_fn(|context| poller.poll_next(context)).await {
            Some((_, Ok(Event::Finished(report)))) => return Ok(report),
            Some((_, Ok(Event::PollFailed(failure)))) => {
                let span = poller.span_of_one();
                span.in_scope(|| tracing::warn!(target: TARGET, error = %failure, "poll failed"));
            }
            Some((_, Ok(Event::Changed { .. } | Event::PollRecovered { .. }))) => {}
            Some((_, Err(error))) => return Err(error),
            None => unreachable!("a wait ends with its last event or with an error"),
        }
    }
}

impl<P: Pollable> Poller<P> {
    pub(crate) fn new(policy: PollPolicy, max_concurrent: usize) -> Self {
        Self {
            policy,
            max_concurrent,
            works: HashMap::new(),
            next_number: 0,
            due: BinaryHeap::new(),
            overdue: BinaryHeap::new(),
            deadlines: BinaryHeap::new(),
            in_flight: FuturesUnordered::new(),
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
        let mut spans = self.works.values().filter_map(|entry| entry.span.as_ref());
        spans.next().map_or_else(Span::none, |span| span.span())
    }

    /// Sets how many polls may be in flight at once; at least 1.
    pub(crate) fn set_max_concurrent(&mut self, polls: usize) {
        self.max_concurrent = polls.max(1);
    }

    pub(crate) fn insert(&mut self, work: P) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let state = PollState::new(&work, &self.policy, number);
        if let Some(deadline) = state.deadline() {
            // Drops the entries of removed works, so that they do not accumulate.
            if self.deadlines.len() > 2 * self.works.len() + 16 {
                let works = &self.works;
                self.deadlines
                    .retain(|Reverse((_, number))| works.contains_key(number));
            }
            self.deadlines.push(Reverse((deadline, number)));
        }
        let entry = Entry {
            span: WaitSpan::new(|| work.key()),
            work: Arc::new(work),
            stage: Stage::Idle,
            state,
        };
        self.works.insert(number, entry);
        self.due.push(Reverse((Instant::now(), number)));
        number
    }

    /// Stops polling a work. Nothing more is reported of it.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Arc<P>> {
        self.ready.retain(|(of, _)| *of != number);
        self.works.remove(&number).map(|entry| entry.work)
    }

    /// Returns each work whose final event has not been yielded, in no particular order.
    pub(crate) fn works(&self) -> impl ExactSizeIterator<Item = &P> {
        self.works.values().map(|entry| &*entry.work)
    }

    /// Returns the next event and the work's number. The work is removed with its final event.
    /// Returns `None` if there is no work.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Arc<P>, EventOf<P>)>> {
        loop {
            if let Some((number, event)) = self.ready.pop_front() {
                let work = match event {
                    Ok(Event::Finished(_)) | Err(_) => self.works.remove(&number).map(|e| e.work),
                    Ok(_) => self.works.get(&number).map(|entry| Arc::clone(&entry.work)),
                };
                match work {
                    Some(work) => return Poll::Ready(Some((work, event))),
                    None => continue,
                }
            }
            if let Poll::Ready(Some(completed)) = self.in_flight.poll_next_unpin(context) {
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
            if self.works.is_empty() {
                return Poll::Ready(None);
            }
            let deadline = self.deadlines.peek().map(|Reverse((at, _))| *at);
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
            let start = match self.overdue.is_empty() {
                true => next_due.map(|at| at.max(paused_until)),
                false => Some(paused_until),
            };
            return Err(start);
        }
        while let Some(Reverse((_, _, number))) = self.overdue.pop() {
            let Some(entry) = self.works.get_mut(&number).filter(|entry| entry.is_idle()) else {
                continue;
            };
            let work = Arc::clone(&entry.work);
            let Some(plan) = entry.state.plan() else {
                let error = entry.state.timed_out(&work);
                entry.end(Err(&error));
                self.ready.push_back((number, Err(error)));
                return Ok(());
            };
            entry.stage = Stage::InFlight;
            let span = entry.span.as_mut();
            let span = span.map_or_else(Span::none, |span| span.on_poll());
            let polling = async move {
                Completed {
                    number,
                    plan,
                    result: poll_once(&*work, plan).await,
                }
            };
            self.in_flight.push(Box::pin(polling.instrument(span)));
            return Ok(());
        }
        Err(next_due)
    }

    /// Moves the works whose poll is due to `overdue`. Returns when the next one is due.
    fn collect_due(&mut self, now: Instant) -> Option<Instant> {
        while let Some(Reverse((at, number))) = self.due.peek() {
            let (at, number) = (*at, *number);
            let entry = self.works.get(&number).filter(|entry| entry.is_idle());
            if entry.is_some() && at > now {
                return Some(at);
            }
            self.due.pop();
            if let Some(entry) = entry {
                let likely_end = entry.state.likely_end(&self.policy, at);
                self.overdue.push(Reverse((likely_end, at, number)));
            }
        }
        None
    }

    /// Ends the waits whose deadline has passed, except those that may still poll once.
    fn expire_deadlines(&mut self) {
        let now = Instant::now();
        let is_due = |Reverse((at, _)): &Reverse<(Instant, u64)>| *at <= now;
        while self.deadlines.peek().is_some_and(is_due) {
            let Some(Reverse((at, number))) = self.deadlines.pop() else {
                return;
            };
            let Some(entry) = self.works.get_mut(&number).filter(|entry| entry.is_idle()) else {
                continue;
            };
            match entry.state.expire(at) {
                Expiry::Later(at) => self.deadlines.push(Reverse((at, number))),
                Expiry::PollUntil(at) => {
                    self.deadlines.push(Reverse((at, number)));
                    self.due.push(Reverse((now, number)));
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
        let Some(entry) = self.works.get_mut(&number) else {
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
                entry.stage = Stage::Idle;
                self.due.push(Reverse((at, number)));
            }
            Ok(None) => entry.end(Ok(&outcome.unwrap_or_default())),
            Err(error) => {
                entry.end(Err(&error));
                self.ready.push_back((number, Err(error)));
            }
        }
    }
}

/// Polls, and completes the status of work that may be done. Returns `None` if the deadline passed
/// before there was a status.
async fn poll_once<P: Pollable>(work: &P, plan: PollPlan) -> Option<Result<PollOutcome<P>, Error>> {
    let polled = match plan.deadline {
        None => work.poll().await,
        Some(deadline) => timeout_at(deadline, work.poll()).await.ok()?,
    };
    let mut status = match polled {
        Ok(status) => status,
        Err(error) => return Some(Err(error)),
    };
    let is_done = |terminal| match terminal {
        Terminal::Yes => true,
        Terminal::Perhaps => plan.perhaps_is_terminal,
        Terminal::No => false,
    };
    let mut terminal = work.terminal(&status);
    if is_done(terminal) {
        status = work.complete(status, plan.deadline).await;
        terminal = work.terminal(&status);
    }
    let report = is_done(terminal).then(|| work.report(status.clone()));
    Some(Ok(PollOutcome {
        status,
        terminal,
        report,
    }))
}

impl<P: Pollable> Entry<P> {
    fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Ends the wait, whose final event is queued or about to be.
    fn end(&mut self, end: Result<&str, &Error>) {
        self.stage = Stage::Done;
        if let Some(span) = self.span.take() {
            span.end(end);
        }
    }
}
