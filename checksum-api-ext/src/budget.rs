//! The limit on the requests of a client.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How late a request may start without moving the schedule. Timers fire up to a few
/// milliseconds late; without this, each delay would lower the rate for good.
const SLACK: Duration = Duration::from_millis(20);

/// Limits how many polls and retries a client starts in a second.
#[derive(Debug)]
pub(crate) struct Budget {
    interval: Duration,
    /// When the next request may start.
    next: Mutex<Option<Instant>>,
}

impl Budget {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::new(None),
        }
    }

    /// Waits for the caller's turn, in the order of the calls. A caller that stops waiting does not
    /// delay the others, because a turn is taken only when it is due.
    pub(crate) async fn acquire(&self) {
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let turn = turn(*next, now);
        if turn > now {
            sleep_until(turn).await;
        }
        *next = Some(turn + self.interval);
    }

    /// Takes a turn if one is due and nobody waits for it. Most requests need no more, and it costs half as
    /// many instructions.
    pub(crate) fn try_acquire(&self) -> bool {
        let Ok(mut next) = self.next.try_lock() else {
            return false;
        };
        let now = Instant::now();
        let turn = turn(*next, now);
        if turn <= now {
            *next = Some(turn + self.interval);
        }
        turn <= now
    }
}

/// Returns when the next request may start.
fn turn(next: Option<Instant>, now: Instant) -> Instant {
    next.filter(|next| *next + SLACK >= now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
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
}
