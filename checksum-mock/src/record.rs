use std::collections::VecDeque;

use crate::RecordedRequest;

/// What is kept of a request beside its text.
const OVERHEAD: usize = 512;

/// The latest requests, up to limits: a stand-in that serves for days must not grow with them.
#[derive(Debug)]
pub(crate) struct Record {
    latest: VecDeque<Kept>,
    max_requests: usize,
    max_bytes: usize,
    bytes: usize,
    count: u64,
}

/// The body stays text until somebody reads it, since JSON values could take many times the room,
/// in a copy of its own, since the buffer that it came in may be much larger.
#[derive(Debug)]
struct Kept {
    head: RecordedRequest,
    body: Box<[u8]>,
    bytes: usize,
}

impl Record {
    pub(crate) fn new(max_requests: usize, max_bytes: usize) -> Self {
        Self {
            latest: VecDeque::new(),
            max_requests,
            max_bytes,
            bytes: 0,
            count: 0,
        }
    }

    /// Keeps a request, and drops the oldest ones that exceed a limit: this one too where it alone
    /// exceeds it.
    pub(crate) fn push(&mut self, head: RecordedRequest, body: &[u8]) {
        self.count += 1;
        let bytes = OVERHEAD + head.text_length() + body.len();
        self.bytes += bytes;
        self.latest.push_back(Kept {
            head,
            body: body.into(),
            bytes,
        });
        while (self.latest.len() > self.max_requests || self.bytes > self.max_bytes)
            && let Some(dropped) = self.latest.pop_front()
        {
            self.bytes -= dropped.bytes;
        }
    }

    /// How many there were, those that are no longer kept included.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn latest(&self) -> Vec<RecordedRequest> {
        let with_body = |kept: &Kept| kept.head.clone().with_body(&kept.body);
        self.latest.iter().map(with_body).collect()
    }
}
