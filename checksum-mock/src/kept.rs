use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::progress::Progress;

/// The bytes that a run or batch takes beside its tests or sessions, roughly.
const OVERHEAD: usize = 1024;

/// Runs or batches in the order of their start, up to a limit: a stand-in that serves for days
/// must not grow with what was started on it.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    items: BTreeMap<u64, Item<T>>,
    by_id: HashMap<String, u64>,
    /// When time by itself will move on which of them: with it, a request among thousands of runs
    /// costs no poll of each.
    due: BTreeSet<(Duration, u64)>,
    /// Those that have ended, in the order of their ends.
    ended: VecDeque<u64>,
    limit: Limit,
    bytes: usize,
    started: u64,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// The number of runs or batches that have ended.
    pub(crate) ended: usize,
    /// The bytes of all of them, roughly.
    pub(crate) bytes: usize,
}

/// What can be kept.
pub(crate) trait Work {
    /// The ids that it is found by.
    fn ids(&self) -> Vec<&str>;

    /// The bytes that its tests or sessions take, roughly.
    fn bytes(&self) -> usize;

    fn progress(&self) -> &Progress;

    fn progress_mut(&mut self) -> &mut Progress;
}

#[derive(Debug)]
struct Item<T> {
    work: T,
    bytes: usize,
    is_ended: bool,
}

impl<T: Work> Kept<T> {
    pub(crate) fn new(limit: Limit) -> Self {
        Self {
            items: BTreeMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            ended: VecDeque::new(),
            limit,
            bytes: 0,
            started: 0,
        }
    }

    /// The number of the next one to start, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.started + 1
    }

    /// Keeps one that has just started, and forgets what exceeds the limit.
    pub(crate) fn push(&mut self, work: T) -> u64 {
        self.started += 1;
        let number = self.started;
        for id in work.ids() {
            self.by_id.insert(id.to_owned(), number);
        }
        let bytes = OVERHEAD + work.bytes();
        self.bytes += bytes;
        let item = Item {
            work,
            bytes,
            is_ended: false,
        };
        self.items.insert(number, item);
        self.forget();
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        Some(&self.items.get(&number)?.work)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        Some(&mut self.items.get_mut(&number)?.work)
    }

    pub(crate) fn number_of(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.values().map(|item| &item.work)
    }

    /// The one that was the last to end.
    pub(crate) fn latest_ended(&self) -> Option<&T> {
        self.get(*self.ended.back()?)
    }

    /// Takes out what time by itself has moved on by now, the earliest first.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<(Duration, u64)> {
        let (at, _) = self.due.first()?;
        if *at <= now {
            self.due.pop_first()
        } else {
            None
        }
    }

    /// Moves one on. Returns whether this ended it.
    pub(crate) fn settle(&mut self, number: u64, now: Duration) -> bool {
        let Some(item) = self.items.get_mut(&number) else {
            return false;
        };
        let progress = item.work.progress_mut();
        progress.settle(now);
        self.due.extend(progress.due().map(|at| (at, number)));
        if item.is_ended || !progress.is_through() {
            return false;
        }
        item.is_ended = true;
        self.ended.push_back(number);
        true
    }

    /// Forgets what exceeds the limit: what ended first, then, for the bytes alone, what started
    /// first; never the latest to start.
    fn forget(&mut self) {
        loop {
            let are_many = self.ended.len() > self.limit.ended.max(1);
            if !are_many && self.bytes <= self.limit.bytes {
                return;
            }
            let ended = self.ended.front().copied();
            let oldest = || self.items.keys().next().copied();
            match ended.or_else(oldest) {
                Some(number) if number != self.started => self.remove(number),
                _ => return,
            }
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(item) = self.items.remove(&number) else {
            return;
        };
        self.bytes -= item.bytes;
        for id in item.work.ids() {
            self.by_id.remove(id);
        }
        if let Some(at) = item.work.progress().due() {
            self.due.remove(&(at, number));
        }
        if self.ended.front() == Some(&number) {
            self.ended.pop_front();
        }
    }
}
