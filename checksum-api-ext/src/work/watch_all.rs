use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, Sleep, sleep_until};

use super::target::Target;
use super::{Handle, WatchEvent};
use crate::poll::{MIN_POLL_TIME, Pace, Pacer, PollPlan, Progress, Seen, was_suspended};
use crate::{Checksum, Error, Event};

/// Many runs and batches, watched by one stream; made by [`Checksum::watch`].
///
/// Its items are a handle and what happened to that work. An error ends the watch of that handle
/// and of no other. The stream ends when nothing is left to watch, and goes on when more is added.
///
/// It polls the longest-overdue work first. At most [`max_concurrent`](Self::max_concurrent) polls are in flight,
/// and each counts towards the client's budget of requests:
/// [`max_requests_per_second`](crate::ChecksumBuilder::max_requests_per_second). A `Retry-After`
/// that two works in a row get pauses all of them, for no longer than is left of the error_timeout with
/// the work that got it, and never for more than half of the time. Each
/// consecutive failure halves the number of polls in flight, down to one at a time at the policy's
/// interval.
///
/// It waits as the client's [`PollPolicy`](crate::PollPolicy) says, of which deadline, error_timeout and
/// grace are those of each work from when it is added.
///
/// Dropping it, or the wait for its next item, loses nothing: the work goes on, and
/// [`handles`](Self::handles) is what to store and to watch again later.
pub struct WatchSet {
    client: Checksum,
    pacer: Pacer,
    works: HashMap<Key, Entry>,
    due: BinaryHeap<Reverse<(Instant, u64, Key)>>,
    /// Tells a work from one that was removed and added again.
    next_number: u64,
    under_way: FuturesUnordered<Pin<Box<dyn Future<Output = Landed> + Send>>>,
    ready: VecDeque<(Key, Result<WatchEvent, Error>)>,
    limit: usize,
    deadlines: BinaryHeap<Reverse<(Instant, u64, Key)>>,
    /// No poll starts before.
    paused_until: Instant,
    /// A `Retry-After` does not pause the set before: the set is not paused for longer than it is
    /// not, so that works that fail for good do not hold the others back.
    may_pause_from: Instant,
    failures_in_a_row: u32,
    pace_in_trouble: Pace,
    /// Made at the first need, since only a runtime can.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The works that are watched, by what leads to them.
#[derive(Clone)]
struct Key(Arc<Handle>);

struct Entry {
    number: u64,
    stage: Stage,
    progress: Progress<Target>,
    /// The process was suspended when its deadline passed: it is owed a poll.
    was_suspended: bool,
}

#[derive(PartialEq, Eq)]
enum Stage {
    /// It is due, or will be.
    Waiting,
    /// A look is under way, which minds the deadline by itself.
    UnderWay,
    /// The stream has yet to tell how: until then it is among the handles, so that no end is lost.
    Ended,
}

/// A look that has come back; `None` where the deadline passed first.
struct Landed {
    key: Key,
    number: u64,
    plan: PollPlan,
    target: Target,
    looked: Option<Result<Seen<Target>, Error>>,
}

impl WatchSet {
    pub(crate) fn new(client: &Checksum, handles: impl IntoIterator<Item = Handle>) -> Self {
        let pacer = client.pacer(*client.poll);
        let mut all = Self {
            client: client.clone(),
            pace_in_trouble: pacer.quick(),
            pacer,
            works: HashMap::new(),
            due: BinaryHeap::new(),
            next_number: 0,
            under_way: FuturesUnordered::new(),
            ready: VecDeque::new(),
            limit: 8,
            deadlines: BinaryHeap::new(),
            paused_until: Instant::now(),
            may_pause_from: Instant::now(),
            failures_in_a_row: 0,
            alarm: None,
        };
        for handle in handles {
            all.add(handle);
        }
        all
    }

    /// How many looks are under way at once, at the most: 8, and never less than 1.
    #[must_use]
    pub fn max_concurrent(mut self, looks: usize) -> Self {
        self.limit = looks.max(1);
        self
    }

    /// Watches one more. `false` where it is watched already.
    pub fn add(&mut self, handle: impl Into<Handle>) -> bool {
        let key = Key(Arc::new(handle.into()));
        if self.works.contains_key(&key) {
            return false;
        }
        let number = self.next_number;
        self.next_number += 1;
        let progress = Progress::new(&Target::new(&self.client, &key.0), &self.pacer);
        if let Some(deadline) = progress.deadline(&self.pacer.policy) {
            // Those of works that have ended go before they are more than what is watched.
            if self.deadlines.len() > 2 * self.works.len() + 16 {
                let works = &self.works;
                self.deadlines.retain(|Reverse((_, number, key))| {
                    works.get(key).is_some_and(|entry| entry.number == *number)
                });
            }
            self.deadlines
                .push(Reverse((deadline, number, key.clone())));
        }
        let entry = Entry {
            number,
            stage: Stage::Waiting,
            progress,
            was_suspended: false,
        };
        self.works.insert(key.clone(), entry);
        self.due.push(Reverse((Instant::now(), number, key)));
        true
    }

    /// Watches one less; nothing more is said of it. `false` where it is not watched.
    pub fn remove(&mut self, handle: &Handle) -> bool {
        self.ready.retain(|(key, _)| !key.0.is_same_work(handle));
        let key = Key(Arc::new(handle.clone()));
        self.works.remove(&key).is_some()
    }

    /// The ways back to all whose end the stream has not told, in no particular order, with what
    /// the looks have taught: what to store, and to watch again later.
    pub fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.works.keys().map(|key| &*key.0)
    }

    /// How much is watched.
    pub fn len(&self) -> usize {
        self.works.len()
    }

    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.works.is_empty()
    }

    /// How many looks may be under way now. Each failure in a row halves it.
    fn limit_now(&self) -> usize {
        (self.limit >> self.failures_in_a_row.min(usize::BITS - 1)).max(1)
    }

    /// Begins the look that has been due for longest. Otherwise, says when to try again, where that
    /// is a matter of time.
    fn begin(&mut self) -> Result<(), Option<Instant>> {
        if self.under_way.len() >= self.limit_now() {
            return Err(None);
        }
        let now = Instant::now();
        while let Some(Reverse((at, number, key))) = self.due.pop() {
            let Some(entry) = self.works.get_mut(&key).filter(|e| e.is_waiting(number)) else {
                continue;
            };
            let start = at.max(self.paused_until);
            if start > now {
                self.due.push(Reverse((at, number, key)));
                return Err(Some(start));
            }
            let mut target = Target::new(&self.client, &key.0);
            let is_late = std::mem::take(&mut entry.was_suspended);
            let Some(plan) = entry.progress.plan(&self.pacer.policy, is_late) else {
                entry.stage = Stage::Ended;
                let error = entry.progress.timed_out(&target);
                self.ready.push_back((key, Err(error)));
                return Ok(());
            };
            entry.stage = Stage::UnderWay;
            self.under_way.push(Box::pin(async move {
                let looked = Seen::look(&mut target, plan).await;
                Landed {
                    key,
                    number,
                    plan,
                    target,
                    looked,
                }
            }));
            return Ok(());
        }
        Err(None)
    }

    /// Ends the watches whose deadline has passed, but for those that are owed a poll.
    fn expire(&mut self) {
        let now = Instant::now();
        let is_due = |Reverse((at, ..)): &Reverse<(Instant, u64, Key)>| *at <= now;
        while self.deadlines.peek().is_some_and(is_due) {
            let Some(Reverse((at, number, key))) = self.deadlines.pop() else {
                return;
            };
            let Some(entry) = self.works.get_mut(&key).filter(|e| e.is_waiting(number)) else {
                continue;
            };
            // Each is polled once, unless that takes too long.
            if let Some(last) = entry.progress.last_start().filter(|last| *last > now) {
                self.deadlines.push(Reverse((last, number, key)));
            } else if was_suspended(at) && !std::mem::replace(&mut entry.was_suspended, true) {
                let last = now + MIN_POLL_TIME;
                self.deadlines.push(Reverse((last, number, key.clone())));
                self.due.push(Reverse((now, number, key)));
            } else {
                entry.stage = Stage::Ended;
                let error = entry.progress.timed_out(&Target::new(&self.client, &key.0));
                self.ready.push_back((key, Err(error)));
            }
        }
    }

    fn landed(&mut self, landed: Landed) {
        let Landed {
            key,
            number,
            plan,
            target,
            looked,
        } = landed;
        let Some(entry) = self.works.get_mut(&key).filter(|e| e.number == number) else {
            return;
        };
        let mut events = VecDeque::new();
        let is_failure =
            matches!(&looked, Some(Err(Error::Request(error))) if error.is_transient());
        let is_answer = matches!(&looked, Some(Ok(_)));
        let progress = &mut entry.progress;
        let next = match looked {
            None if progress.was_given_up(plan) => {
                entry.was_suspended = true;
                Ok(Some(Instant::now()))
            }
            None => Err(progress.timed_out(&target)),
            Some(looked) => {
                let next = progress.learn(&target, plan, looked, &mut self.pacer, &mut events);
                let deadline = progress.deadline(&self.pacer.policy);
                match deadline {
                    // It passed while the poll was in flight, whose result counts.
                    Some(deadline) if deadline <= Instant::now() && matches!(next, Ok(Some(_))) => {
                        Err(progress.timed_out(&target))
                    }
                    _ => next,
                }
            }
        };
        let asked_to_wait = events.iter().find_map(|event| match event {
            Event::PollFailed(trouble) if trouble.error.retry_after().is_some() => {
                Some(trouble.next_poll_in)
            }
            _ => None,
        });
        let events = events.into_iter().map(|event| (key.clone(), Ok(event)));
        self.ready.extend(events);
        entry.stage = match &next {
            Ok(Some(_)) => Stage::Waiting,
            Ok(None) | Err(_) => Stage::Ended,
        };
        if is_failure {
            self.note_failure(asked_to_wait);
        } else if is_answer {
            self.failures_in_a_row = 0;
            self.pace_in_trouble = self.pacer.quick();
        }
        match next {
            Err(error) => self.ready.push_back((key, Err(error))),
            Ok(None) => {}
            Ok(Some(at)) => {
                let key = self.learnt(key, target.handle());
                self.due.push(Reverse((at, number, key)));
            }
        }
    }

    /// Watches a work by what is known of the way to it now.
    fn learnt(&mut self, key: Key, handle: Handle) -> Key {
        if *key.0 == handle {
            return key;
        }
        let key = Key(Arc::new(handle));
        // Inserting alone would keep the old key.
        if let Some(entry) = self.works.remove(&key) {
            self.works.insert(key.clone(), entry);
        }
        key
    }

    /// Failures that may pass slow all polls down, since they seldom come alone. A `Retry-After`
    /// pauses the set where a second work in a row fails.
    fn note_failure(&mut self, asked_to_wait: Option<Duration>) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let now = Instant::now();
        let may_pause = self.failures_in_a_row > 1 && now >= self.may_pause_from;
        let asked = asked_to_wait.filter(|_| may_pause);
        let pause = asked.unwrap_or_else(|| match self.limit_now() {
            1 => self.pacer.pause(&mut self.pace_in_trouble, Duration::ZERO),
            _ => Duration::ZERO,
        });
        let Some(until) = now.checked_add(pause) else {
            return;
        };
        self.paused_until = self.paused_until.max(until);
        if asked.is_some() {
            self.may_pause_from = until.checked_add(pause).unwrap_or(until);
        }
    }
}

impl Stream for WatchSet {
    type Item = (Handle, Result<WatchEvent, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some((key, event)) = self.ready.pop_front() {
                if matches!(event, Ok(Event::Finished(_)) | Err(_)) {
                    self.works.remove(&key);
                }
                return Poll::Ready(Some(((*key.0).clone(), event)));
            }
            if let Poll::Ready(Some(landed)) = self.under_way.poll_next_unpin(context) {
                self.landed(landed);
                continue;
            }
            self.expire();
            if !self.ready.is_empty() {
                continue;
            }
            let Err(start) = self.begin() else { continue };
            if self.works.is_empty() {
                return Poll::Ready(None);
            }
            let deadline = self.deadlines.peek().map(|Reverse((at, ..))| *at);
            match start.into_iter().chain(deadline).min() {
                None => return Poll::Pending,
                Some(at) => {
                    let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
                    alarm.as_mut().reset(at);
                    ready!(alarm.as_mut().poll(context));
                }
            }
        }
    }
}

impl Entry {
    /// Whether it is the one of that number, and no look is under way.
    fn is_waiting(&self, number: u64) -> bool {
        self.number == number && self.stage == Stage::Waiting
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same_work(&other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.identity().hash(state);
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.identity().cmp(&other.0.identity())
    }
}
