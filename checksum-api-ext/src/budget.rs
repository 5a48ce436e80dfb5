use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How late a request may start and still keep its place in the schedule. Timers fire up to a few
/// milliseconds late; without this, each delay would lower the rate for good.
const SLACK: Duration = Duration::from_millis(20);

/// The requests that a client may start in a second, shared by all that it polls and repeats.
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

    /// Waits for the caller's turn. A caller that stops waiting gives its turn up.
    pub(crate) async fn acquire(&self) {
        let now = Instant::now();
        let turn = self.reserve(now);
        if turn > now {
            sleep_until(turn).await;
        }
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.filter(|next| *next + SLACK >= now).unwrap_or(now);
        *next = Some(turn + self.interval);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn late_timers_do_not_lower_the_rate() {
        let budget = Budget::new(1_000);
        let began = Instant::now();
        for _ in 0..1_000 {
            budget.acquire().await;
            // The work between two requests.
            tokio::time::advance(Duration::from_micros(1_500)).await;
            tokio::time::advance(Duration::ZERO).await;
        }
        assert!(began.elapsed() < Duration::from_millis(1_600));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_second_is_not_made_up_for() {
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
