//! A set of runs and batches that is watched by one stream.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use hashbrown::HashTable;
use tokio::sync::mpsc::{
    UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel,
};

use super::handle::Handle;
use super::work::{WatchEvent, Work};
use crate::core::Core;
use crate::error::Error;
use crate::poll::{Event, Poller};

/// The default of [`WatchSet::max_concurrent`].
const MAX_CONCURRENT: usize = 8;

/// Many runs and batches, watched by one stream. Returned by
/// [`Checksum::watch`](crate::Checksum::watch).
///
/// Each item is a handle and an event of its work. An error ends the watch of that handle and of no
/// other. The stream ends when nothing is left to watch and no [`adder`](Self::adder) is alive, and
/// goes on when more is inserted.
///
/// Of the works whose poll is due, it polls the likeliest one to have ended first, by the client's
/// [`PollPolicy`](crate::PollPolicy), and each after a bounded time. At most
/// [`max_concurrent`](Self::max_concurrent) polls are in flight, and each counts towards the client's limit,
/// [`max_requests_per_second`](crate::ChecksumBuilder::max_requests_per_second). Each consecutive
/// failure halves the number of polls in flight, down to one at a time at the policy's interval.
/// From the second failure in a row on, a `Retry-After` pauses all polls, for at most what is left
/// of the error timeout of the work that got it. Such pauses take at most half of the time.
///
/// It waits by the client's [`PollPolicy`](crate::PollPolicy). Deadline, error timeout and grace are
/// those of each work, from when it is inserted.
///
/// With an API key that is fixed, 401 ends the watch of each work with an error. The item contains
/// the handle, so that the work can be inserted again. With a key provider 401 counts as a poll
/// failure, which the error timeout tolerates: a set can be watched for weeks while keys are
/// rotated.
///
/// A run that is inserted by two handles is polled once if the handles have an id in common. A job
/// name and a test run id of the same run are two works: each is polled, and each finishes.
///
/// Dropping the set, or the future of its next item, loses nothing: the work goes on, and
/// [`iter`](Self::iter) returns what to store and to watch again later.
pub struct WatchSet {
    core: Core,
    poller: Poller<Work>,
    /// The works by their first key, and those that have a second one by that. A key is not stored, but
    /// read from the handle.
    numbers: [HashTable<u64>; 2],
    hasher: RandomState,
    added: Option<Added>,
}

/// Handles that adders have sent.
struct Added {
    handles: UnboundedReceiver<Handle>,
    sender: WeakUnboundedSender<Handle>,
}

/// Inserts handles into a [`WatchSet`] from elsewhere, such as another task, while its stream is
/// being read. Returned by [`WatchSet::adder`].
#[derive(Clone, Debug)]
pub struct WatchSetAdder(UnboundedSender<Handle>);

impl WatchSet {
    pub(crate) fn new(core: &Core, handles: impl IntoIterator<Item = Handle>) -> Self {
        let mut set = Self {
            poller: Poller::new(core.applied(core.poll), MAX_CONCURRENT),
            core: core.clone(),
            numbers: [HashTable::new(), HashTable::new()],
            hasher: RandomState::new(),
            added: None,
        };
        for handle in handles {
            set.insert(handle);
        }
        set
    }

    /// Sets how many polls may be in flight at a time; at least 1. Default: 8.
    #[must_use]
    pub fn max_concurrent(mut self, polls: usize) -> Self {
        self.poller.set_max_concurrent(polls);
        self
    }

    /// Starts watching this work. Returns `false` if a handle with the same id is already watched.
    pub fn insert(&mut self, handle: impl Into<Handle>) -> bool {
        let handle = handle.into();
        if handle.keys().any(|key| self.number(&key).is_some()) {
            return false;
        }
        let keys: Vec<String> = handle.keys().collect();
        let number = self.poller.insert(Work::new(&self.core, handle));
        for (which, key) in keys.iter().enumerate() {
            let hash = |number: &u64| {
                let key = key_of(&self.poller, *number, which);
                self.hasher.hash_one(key.unwrap_or_default())
            };
            self.numbers[which].insert_unique(self.hasher.hash_one(key), number, hash);
        }
        true
    }

    /// Stops watching this work. Nothing more is reported of it. Returns `false` if it is not
    /// watched.
    pub fn remove(&mut self, handle: &Handle) -> bool {
        let mut is_removed = false;
        for key in handle.keys() {
            if let Some(number) = self.number(&key)
                && let Some(work) = self.poller.remove(number)
            {
                self.forget(number, &work.handle());
                is_removed = true;
            }
        }
        is_removed
    }

    /// Returns the handle of each work whose [`Finished`](Event::Finished) event or error has not
    /// been yielded, in no particular order: what to store, and to watch again later.
    ///
    /// A handle of an [adder](Self::adder) is among them from the next time that the stream is
    /// polled.
    pub fn iter(&self) -> impl Iterator<Item = Handle> {
        self.poller.works().map(Work::handle)
    }

    /// Returns how many runs and batches are watched.
    pub fn len(&self) -> usize {
        self.poller.len()
    }

    /// Returns whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a value that inserts handles while the stream is being read. While it or a clone of
    /// it is alive, the stream does not end.
    pub fn adder(&mut self) -> WatchSetAdder {
        if let Some(sender) = self.added.as_ref().and_then(|added| added.sender.upgrade()) {
            return WatchSetAdder(sender);
        }
        if let Some(mut added) = self.added.take() {
            while let Ok(handle) = added.handles.try_recv() {
                self.insert(handle);
            }
        }
        let (sender, handles) = unbounded_channel();
        self.added = Some(Added {
            handles,
            sender: sender.downgrade(),
        });
        WatchSetAdder(sender)
    }

    /// Waits for the next event, and returns it with the handle of its work. Returns `None` when
    /// nothing is left to watch and no [`adder`](Self::adder) is alive.
    ///
    /// This method is cancel-safe: if its future is dropped, no item is lost.
    pub async fn next(&mut self) -> Option<(Handle, Result<WatchEvent, Error>)> {
        poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Handle, Result<WatchEvent, Error>)>> {
        while let Some(added) = &mut self.added {
            match added.handles.poll_recv(context) {
                Poll::Ready(Some(handle)) => {
                    self.insert(handle);
                }
                Poll::Ready(None) => self.added = None,
                Poll::Pending => break,
            }
        }
        match self.poller.poll_next(context) {
            Poll::Ready(None) if self.added.is_some() => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some((number, work, event))) => {
                let handle = work.handle();
                if matches!(event, Ok(Event::Finished(_)) | Err(_)) {
                    self.forget(number, &handle);
                }
                Poll::Ready(Some((handle, event)))
            }
        }
    }

    /// Returns the number of the work that has this key.
    fn number(&self, key: &str) -> Option<u64> {
        let hash = self.hasher.hash_one(key);
        let mut tables = self.numbers.iter().enumerate();
        let number = tables.find_map(|(which, numbers)| {
            numbers.find(hash, |number| {
                key_of(&self.poller, *number, which).as_deref() == Some(key)
            })
        });
        number.copied()
    }

    fn forget(&mut self, number: u64, handle: &Handle) {
        for (numbers, key) in self.numbers.iter_mut().zip(handle.keys()) {
            let hash = self.hasher.hash_one(key);
            if let Ok(entry) = numbers.find_entry(hash, |other| *other == number) {
                entry.remove();
            }
        }
    }
}

/// Returns the first or the second key of a work.
fn key_of(poller: &Poller<Work>, number: u64, which: usize) -> Option<String> {
    poller.work(number)?.handle().keys().nth(which)
}

impl WatchSetAdder {
    /// Inserts a handle, as [`WatchSet::insert`] does. Returns `false` if the set was dropped.
    pub fn insert(&self, handle: impl Into<Handle>) -> bool {
        self.0.send(handle.into()).is_ok()
    }
}

impl Stream for WatchSet {
    type Item = (Handle, Result<WatchEvent, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(context)
    }
}

impl fmt::Debug for WatchSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WatchSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
