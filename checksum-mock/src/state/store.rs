//! Keeps runs or batches with their timelines, up to a limit: a mock server that serves for days
//! must not grow with each run.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::timeline::Timeline;
use crate::script::Phase;

/// Roughly how many bytes a run or batch takes in addition to its tests or sessions.
const OVERHEAD: usize = 1024;

#[derive(Debug)]
pub(crate) struct Store<T> {
    /// By number, and so in the order of their start.
    items: BTreeMap<u64, Item<T>>,
    by_id: HashMap<String, u64>,
    /// The next transition of each that time alone advances, so that a request need not visit
    /// thousands of runs.
    due: BTreeSet<(Duration, u64)>,
    /// Those that have finished, in the order of their ends.
    finished: VecDeque<u64>,
    limit: Limit,
    bytes: usize,
    started: u64,
}

/// The limits on what is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// The number of finished runs or batches.
    pub(crate) finished: usize,
    /// The approximate bytes of all of them.
    pub(crate) bytes: usize,
}

pub(crate) trait Stored {
    /// Returns the ids that it is found by.
    fn ids(&self) -> Vec<&str>;

    /// Returns about how many bytes its tests or sessions take.
    fn bytes(&self) -> usize;
}

#[derive(Debug)]
struct Item<T> {
    work: T,
    timeline: Timeline,
    bytes: usize,
    is_finished: bool,
}

impl<T: Stored> Store<T> {
    pub(crate) fn new(limit: Limit) -> Self {
        Self {
            items: BTreeMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            finished: VecDeque::new(),
            limit,
            bytes: 0,
            started: 0,
        }
    }

    /// Returns the number of the next one to start, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.started + 1
    }

    /// Adds one that starts now, and drops what exceeds the limit. The caller advances it.
    pub(crate) fn insert(&mut self, work: T, phases: Vec<Phase>, now: Duration) -> u64 {
        self.started += 1;
        let number = self.started;
        let ids = work.ids().into_iter().map(str::to_owned);
        self.by_id.extend(ids.map(|id| (id, number)));
        let bytes = OVERHEAD + work.bytes();
        self.bytes += bytes;
        let item = Item {
            work,
            timeline: Timeline::new(phases, now),
            bytes,
            is_finished: false,
        };
        self.items.insert(number, item);
        self.evict();
        number
    }

    pub(crate) fn number_of(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        Some(&self.items.get(&number)?.work)
    }

    pub(crate) fn get_finished(&self, number: u64) -> Option<&T> {
        let item = self.items.get(&number)?;
        item.is_finished.then_some(&item.work)
    }

    /// Returns the one that was the last to finish.
    pub(crate) fn latest_finished(&self) -> Option<&T> {
        self.get(*self.finished.back()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.values().map(|item| &item.work)
    }

    /// Returns each with its current phase, the latest to start first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (usize, &T)> {
        let items = self.items.values().rev();
        items.map(|item| (item.timeline.phase(), &item.work))
    }

    /// Counts a poll, and returns the phase that it sees. The caller advances it afterwards.
    pub(crate) fn poll(&mut self, number: u64, now: Duration) -> Option<(usize, &T)> {
        let item = self.items.get_mut(&number)?;
        Some((item.timeline.poll(now), &item.work))
    }

    /// Returns the earliest transition until now that has not been made, once.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<(Duration, u64)> {
        self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.pop_first()
    }

    /// Advances one, and returns whether this finished it.
    pub(crate) fn advance(&mut self, number: u64, now: Duration) -> bool {
        let Some(item) = self.items.get_mut(&number) else {
            return false;
        };
        item.timeline.advance_to(now);
        let next = item.timeline.next_transition();
        self.due.extend(next.map(|at| (at, number)));
        if item.is_finished || !item.timeline.is_finished() {
            return false;
        }
        item.is_finished = true;
        self.finished.push_back(number);
        true
    }

    /// Drops what exceeds the limit: what finished first, then, only for the bytes, what started
    /// first. Never drops the latest to start.
    fn evict(&mut self) {
        while self.finished.len() > self.limit.finished.max(1) || self.bytes > self.limit.bytes {
            let oldest = || self.items.keys().next().copied();
            match self.finished.front().copied().or_else(oldest) {
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
        if let Some(at) = item.timeline.next_transition() {
            self.due.remove(&(at, number));
        }
        if self.finished.front() == Some(&number) {
            self.finished.pop_front();
        }
    }
}
