//! When which work is next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

/// Numbers of works by time, the earliest first. A set has thousands, so that each takes 16 bytes.
pub(super) struct Schedule {
    epoch: Instant,
    /// The time is in nanoseconds since the epoch.
    heap: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            heap: BinaryHeap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn push(&mut self, at: Instant, number: u64) {
        let since = at.saturating_duration_since(self.epoch).as_nanos();
        let since = since.try_into().unwrap_or(u64::MAX);
        self.heap.push(Reverse((since, number)));
    }

    pub(super) fn peek(&self) -> Option<(Instant, u64)> {
        let Reverse((since, number)) = self.heap.peek()?;
        Some((self.epoch + Duration::from_nanos(*since), *number))
    }

    /// Removes the first entry. Most entries are in one of two schedules, and the other one does not keep
    /// the memory for them.
    pub(super) fn pop(&mut self) -> Option<u64> {
        let Reverse((_, number)) = self.heap.pop()?;
        let (len, capacity) = (self.heap.len(), self.heap.capacity());
        if capacity > 64 && len < capacity / 2 {
            self.heap.shrink_to(len + len / 2);
        }
        Some(number)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.heap.retain(|Reverse((_, number))| keep(*number));
    }
}
