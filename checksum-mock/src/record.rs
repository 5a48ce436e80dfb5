use std::collections::VecDeque;

use crate::RecordedRequest;

/// The latest requests, up to a limit: a stand-in that serves for days must not grow with them.
#[derive(Debug)]
pub(crate) struct Record {
    latest: VecDeque<RecordedRequest>,
    limit: usize,
    count: u64,
}

impl Record {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            latest: VecDeque::new(),
            limit,
            count: 0,
        }
    }

    pub(crate) fn push(&mut self, request: RecordedRequest) {
        self.count += 1;
        self.latest.push_back(request);
        if self.latest.len() > self.limit {
            self.latest.pop_front();
        }
    }

    /// How many there were, those that are no longer kept included.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn latest(&self) -> Vec<RecordedRequest> {
        self.latest.iter().cloned().collect()
    }
}
