//! Slows down all waits of a set while polls fail.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::policy::PollPolicy;

/// Slows a set of waits down during an outage, since transient errors seldom come alone.
pub(super) struct Throttle {
    failures_in_a_row: u32,
    outage_backoff: Backoff,
    /// No poll starts before this time.
    paused_until: Instant,
    /// No `Retry-After` pauses the set before this time. The set is paused for at most half of the
    /// time, so that work which fails permanently does not hold up the rest.
    may_pause_from: Instant,
}

impl Throttle {
    pub(super) fn new(policy: &PollPolicy) -> Self {
        Self {
            failures_in_a_row: 0,
            outage_backoff: Backoff::new(policy, 0),
            paused_until: Instant::now(),
            may_pause_from: Instant::now(),
        }
    }

    pub(super) fn paused_until(&self) -> Instant {
        self.paused_until
    }

    /// Returns how many polls may be in flight now. Each failure in a row halves `max`.
    pub(super) fn current_concurrency(&self, max: usize) -> usize {
        (max >> self.failures_in_a_row.min(usize::BITS - 1)).max(1)
    }

    pub(super) fn on_success(&mut self, policy: &PollPolicy) {
        self.failures_in_a_row = 0;
        self.outage_backoff.reset(policy);
    }

    /// Slows down the set after a poll failed with a transient error. `requested_pause` is the
    /// interval after a response with `Retry-After`. It pauses the set from the second failure in a
    /// row on.
    pub(super) fn on_transient_error(
        &mut self,
        policy: &PollPolicy,
        max: usize,
        requested_pause: Option<Duration>,
    ) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let now = Instant::now();
        let may_pause = self.failures_in_a_row > 1 && now >= self.may_pause_from;
        let requested = requested_pause.filter(|_| may_pause);
        let pause = requested.unwrap_or_else(|| match self.current_concurrency(max) {
            1 => self.outage_backoff.next_interval(policy, Duration::ZERO),
            _ => Duration::ZERO,
        });
        let Some(until) = now.checked_add(pause) else {
            return;
        };
        self.paused_until = self.paused_until.max(until);
        if requested.is_some() {
            self.may_pause_from = until.checked_add(pause).unwrap_or(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_failure_halves_the_polls_in_flight_and_a_success_allows_all() {
        let policy = PollPolicy::fixed(Duration::from_secs(10));
        let mut throttle = Throttle::new(&policy);
        let mut allowed = vec![throttle.current_concurrency(8)];
        let mut pauses = Vec::new();
        for _ in 0..100 {
            throttle.on_transient_error(&policy, 8, None);
            allowed.push(throttle.current_concurrency(8));
            pauses.push((throttle.paused_until() - Instant::now()).as_secs());
        }
        assert_eq!((&allowed[..5], allowed[100]), (&[8, 4, 2, 1, 1][..], 1));
        assert_eq!(pauses[..4], [0, 0, 10, 10]);
        throttle.on_success(&policy);
        assert_eq!(throttle.current_concurrency(8), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_requested_pause_applies_from_the_second_failure_on_and_half_of_the_time() {
        let policy = PollPolicy::fixed(Duration::from_secs(10));
        let mut throttle = Throttle::new(&policy);
        let (began, pause) = (Instant::now(), Duration::from_secs(60));
        // At which second it fails, and how long the set is then still paused.
        for (at, paused) in [(0, 0), (0, 60), (60, 0), (119, 0), (120, 60)] {
            tokio::time::sleep_until(began + Duration::from_secs(at)).await;
            throttle.on_transient_error(&policy, 1 << 20, Some(pause));
            let until = throttle.paused_until();
            let left = until.saturating_duration_since(Instant::now());
            assert_eq!(left.as_secs(), paused, "{at}");
        }
    }
}
