//! The polls in flight.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout_at;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use super::pollable::{Pollable, Terminal};
use super::state::{PollOutcome, PollPlan};
use crate::error::Error;

/// The polls in flight. Each is made by a worker, whose future is used again for a later poll: it takes
/// kilobytes, and allocating and moving them would cost a tenth of a poll.
pub(super) struct InFlight<P: Pollable> {
    busy: FuturesUnordered<Instrumented<Busy<P>>>,
    idle: Vec<Worker<P>>,
}

/// Makes the poll that is in its slot, again and again.
struct Worker<P: Pollable> {
    slot: Arc<Mutex<Slot<P>>>,
    future: Pin<Box<dyn Future<Output = Infallible> + Send>>,
}

enum Slot<P: Pollable> {
    Empty,
    Poll(Job<P>),
    Completed(Completed<P>),
}

/// A poll that is to be made.
pub(super) struct Job<P: Pollable> {
    pub(super) number: u64,
    pub(super) work: Arc<P>,
    pub(super) plan: PollPlan,
}

/// A poll that is no longer in flight. Its result is `None` if its deadline passed first.
pub(super) struct Completed<P: Pollable> {
    pub(super) number: u64,
    pub(super) plan: PollPlan,
    pub(super) result: Option<Result<PollOutcome<P>, Error>>,
}

/// A worker until its poll is completed.
struct Busy<P: Pollable>(Option<Worker<P>>);

impl<P: Pollable> InFlight<P> {
    pub(super) fn new() -> Self {
        Self {
            busy: FuturesUnordered::new(),
            idle: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.busy.len()
    }

    /// Makes a poll, in this span.
    pub(super) fn push(&mut self, job: Job<P>, span: Span) {
        let worker = self.idle.pop().unwrap_or_else(Worker::new);
        *lock(&worker.slot) = Slot::Poll(job);
        self.busy.push(Busy(Some(worker)).instrument(span));
    }

    /// Returns a poll that is completed.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Completed<P>>> {
        let completed = self.busy.poll_next_unpin(context);
        completed.map(|completed| {
            let (completed, worker) = completed?;
            self.idle.push(worker);
            Some(completed)
        })
    }
}

impl<P: Pollable> Worker<P> {
    fn new() -> Self {
        let slot = Arc::new(Mutex::new(Slot::Empty));
        Self {
            future: Box::pin(work(Arc::clone(&slot))),
            slot,
        }
    }
}

impl<P: Pollable> Future for Busy<P> {
    type Output = (Completed<P>, Worker<P>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(worker) = &mut self.0 else {
            return Poll::Pending;
        };
        let Poll::Pending = worker.future.as_mut().poll(context);
        let slot = std::mem::replace(&mut *lock(&worker.slot), Slot::Empty);
        match (slot, self.0.take()) {
            (Slot::Completed(completed), Some(worker)) => Poll::Ready((completed, worker)),
            (_, worker) => {
                self.0 = worker;
                Poll::Pending
            }
        }
    }
}

async fn work<P: Pollable>(slot: Arc<Mutex<Slot<P>>>) -> Infallible {
    loop {
        // It is polled when a poll is in the slot, and needs no waker for that.
        let next = poll_fn(|_| {
            let mut slot = lock(&slot);
            match std::mem::replace(&mut *slot, Slot::Empty) {
                Slot::Poll(job) => Poll::Ready(job),
                other => {
                    *slot = other;
                    Poll::Pending
                }
            }
        });
        let Job { number, work, plan } = next.await;
        let result = poll_once(&*work, plan).await;
        *lock(&slot) = Slot::Completed(Completed {
            number,
            plan,
            result,
        });
    }
}

/// Nothing panics while it holds the lock.
fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
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
    if terminal != Terminal::No {
        let is_done = is_done(terminal);
        status = work.complete(status, is_done, plan.deadline).await;
        terminal = work.terminal(&status);
    }
    let report = is_done(terminal).then(|| work.report(status.clone()));
    Some(Ok(PollOutcome {
        status,
        terminal,
        report,
    }))
}
