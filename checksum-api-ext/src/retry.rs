use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// When a failed request is sent again.
///
/// Reads are repeated when the failure may pass: no connection, a time-out, 408, 425, 429, 5xx, an
/// answer that is not JSON. A request that starts work is repeated only where the service cannot
/// have acted on it: no connection was made, or 429. `Retry-After` is honoured. Each repetition
/// counts towards the client's budget of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_delay: Duration,
    max_total_delay: Duration,
    seed: Option<u64>,
}

impl Default for RetryPolicy {
    /// Four attempts within a minute; before the second a pause of up to half a second, and up to
    /// twice that each time.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            initial_delay: Duration::from_millis(500),
            max_total_delay: Duration::from_secs(60),
            seed: None,
        }
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often a request is sent at most; none is sent less than once.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The longest pause before the second attempt; it doubles with each. The pause itself is a
    /// random part of it, so that many clients do not repeat their requests at the same moment.
    #[must_use]
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = delay;
        self
    }

    /// How long the pauses may be taken together. A `Retry-After` beyond it ends the attempts.
    #[must_use]
    pub fn max_total_delay(mut self, budget: Duration) -> Self {
        self.max_total_delay = budget;
        self
    }

    /// Makes the pauses repeatable.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The pause before the next attempt, where there is one.
    pub(crate) fn next(
        &self,
        attempts_made: u32,
        paused: Duration,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if attempts_made >= self.max_attempts {
            return None;
        }
        let pause = retry_after.unwrap_or_else(|| {
            let longest = self
                .initial_delay
                .saturating_mul(1 << (attempts_made - 1).min(16));
            crate::poll::scaled(longest, self.random_share(attempts_made))
        });
        (paused.saturating_add(pause) <= self.max_total_delay).then_some(pause)
    }

    /// From 0 to 1.
    fn random_share(&self, attempts_made: u32) -> f64 {
        match self.seed {
            None => rand::rng().random_range(0.0..=1.0),
            Some(seed) => {
                let seed = seed.wrapping_add(attempts_made.into());
                StdRng::seed_from_u64(seed).random_range(0.0..=1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_longest_pause_doubles_until_the_attempts_are_used_up() {
        let policy = RetryPolicy::default().max_attempts(3).initial_delay(SECOND);
        let pauses = |attempts: u32| -> Vec<Duration> {
            let pause = |seed| policy.seed(seed).next(attempts, Duration::ZERO, None);
            (0..1_000).filter_map(pause).collect()
        };
        for (attempts, longest) in [(1, SECOND), (2, 2 * SECOND)] {
            let pauses = pauses(attempts);
            assert!(pauses.iter().all(|pause| *pause <= longest));
            assert!(pauses.iter().any(|pause| *pause < longest / 10));
            assert!(pauses.iter().any(|pause| *pause > longest * 9 / 10));
        }
        assert!(pauses(3).is_empty());
        let policy = policy.seed(7);
        let again = policy.next(1, Duration::ZERO, None);
        assert_eq!(policy.next(1, Duration::ZERO, None), again);
        assert_eq!(RetryPolicy::none().next(1, Duration::ZERO, None), None);
    }

    #[test]
    fn the_service_decides_within_the_budget() {
        let policy = RetryPolicy::default().max_total_delay(10 * SECOND);
        assert_eq!(
            policy.next(1, Duration::ZERO, Some(7 * SECOND)),
            Some(7 * SECOND)
        );
        assert_eq!(policy.next(1, Duration::ZERO, Some(11 * SECOND)), None);
        assert_eq!(policy.next(2, 7 * SECOND, Some(4 * SECOND)), None);
    }
}
