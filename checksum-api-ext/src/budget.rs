//! The limit on the requests of a client.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How late a request may start without moving the schedule. Timers fire up to a few
/// milliseconds late; without this, each delay would lower the rate for good.
const SLACK: Duration = Duration::from_millis(20);

/// A caller whose task was not run for this long after its turn waits for another one, so that many such
/// callers do not send together.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Limits how many polls and retries a client starts in a second.
#[derive(Debug)]
pub(crate) struct Budget {
    interval: Duration,
    /// It is not locked while a caller waits: a set keeps its polls while nobody awaits its next event,
    /// and one of them would hold up every other caller.
    turns: Mutex<Turns>,
}

/// When requests may start.
#[derive(Debug, Default)]
struct Turns {
    /// The turn after the last one that a caller has.
    next: Option<Instant>,
    /// Earlier turns, of callers that have stopped waiting.
    free: BTreeSet<Instant>,
}

/// The turn of a caller. Without `take`, another caller gets it.
struct Turn<'a> {
    budget: &'a Budget,
    at: Instant,
    is_taken: bool,
}

impl Budget {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            turns: Mutex::default(),
        }
    }

    /// Waits for the caller's turn. Turns are in the order of the calls, except that the turn of a
    /// caller that stops waiting goes to the next call.
    pub(crate) async fn acquire(&self) {
        loop {
            let mut turn = Turn {
                budget: self,
                at: self.turns().reserve(Instant::now(), self.interval),
                is_taken: false,
            };
            if turn.at > Instant::now() {
                sleep_until(turn.at).await;
            }
            if turn.at.elapsed() < MAX_DELAY {
                turn.is_taken = true;
                return;
            }
        }
    }

    /// Takes a turn if one is due and nobody waits for it. Most requests need no more, and it costs half as
    /// many instructions.
    pub(crate) fn try_acquire(&self) -> bool {
        let mut turns = self.turns();
        let now = Instant::now();
        let is_due = turns.first(now) <= now;
        if is_due {
            turns.reserve(now, self.interval);
        }
        is_due
    }

    /// Nothing panics while it holds the lock.
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    /// Returns the first turn that no caller has.
    fn first(&mut self, now: Instant) -> Instant {
        while let Some(first) = self.free.first().copied() {
            if first + SLACK >= now {
                return first;
            }
            self.free.pop_first();
        }
        self.next.filter(|next| *next + SLACK >= now).unwrap_or(now)
    }

    fn reserve(&mut self, now: Instant, interval: Duration) -> Instant {
        let turn = self.first(now);
        if !self.free.remove(&turn) {
            self.next = Some(turn + interval);
        }
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_taken {
            return;
        }
        let mut turns = self.budget.turns();
        turns.free.insert(self.at);
        // Without a later turn it is the next one.
        while let Some(last) = turns.free.last().copied()
            && turns.next == Some(last + self.budget.interval)
        {
            turns.free.pop_last();
            turns.next = Some(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn late_timers_do_not_lower_the_rate() {
        let budget = Budget::new(100);
        let began = Instant::now();
        for _ in 0..100 {
            budget.acquire().await;
            // Each timer fires 3 ms late.
            tokio::time::advance(Duration::from_millis(13)).await;
            budget.acquire().await;
        }
        assert!(
            began.elapsed() < Duration::from_millis(2_050),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn intervals_shorter_than_the_slack_are_kept() {
        let budget = Budget::new(100);
        let began = Instant::now();
        for _ in 0..101 {
            budget.acquire().await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_stops_waiting_does_not_delay_the_others() {
        let budget = Budget::new(10);
        budget.acquire().await;
        for _ in 0..50 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), budget.acquire());
            given_up.await.expect_err("its turn has not come");
        }
        let began = Instant::now();
        budget.acquire().await;
        assert!(
            began.elapsed() <= Duration::from_millis(100),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_second_allows_no_burst() {
        let budget = Budget::new(10);
        budget.acquire().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        for _ in 0..11 {
            budget.acquire().await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }

    /// A set keeps such a poll while its caller handles an event.
    #[tokio::test(start_paused = true)]
    async fn a_caller_whose_future_is_not_polled_holds_up_nobody() {
        let budget = Budget::new(10);
        budget.acquire().await;
        let mut kept: Vec<_> = (0..5).map(|_| Box::pin(budget.acquire())).collect();
        for acquiring in &mut kept {
            let acquired = tokio::time::timeout(Duration::from_millis(1), acquiring);
            acquired.await.expect_err("its turn has not come");
        }
        let began = Instant::now();
        budget.acquire().await;
        assert!(began.elapsed() <= Duration::from_millis(600));
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        for acquiring in kept {
            acquiring.await;
        }
        assert_eq!(began.elapsed(), Duration::from_millis(400), "no burst");
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_of_a_caller_that_stops_goes_to_the_next_call() {
        let budget = Budget::new(10);
        budget.acquire().await;
        let began = Instant::now();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(budget.acquire())).collect();
        for acquiring in &mut waiting {
            assert!(polled_once(acquiring).await.is_pending());
        }
        drop(waiting.remove(0));
        assert!(!budget.try_acquire(), "others wait");
        budget.acquire().await;
        assert_eq!(began.elapsed(), Duration::from_millis(100));
        for acquiring in waiting {
            acquiring.await;
        }
        assert_eq!(began.elapsed(), Duration::from_millis(300));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(budget.try_acquire());
        assert!(!budget.try_acquire());
    }

    async fn polled_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
    }
}
