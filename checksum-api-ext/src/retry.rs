//! Retries of failed requests.

use std::time::Duration;

use fastrand::Rng;

/// When a failed request is retried.
///
/// Reads are retried if the failure may be temporary: no connection, a time-out, a broken
/// connection, 408, 425, 429, 5xx, a body that is not JSON. A request that starts work is retried
/// only if the service cannot have acted on it: no connection was made, or the response was 429.
/// `Retry-After` is honoured. Each retry counts towards the client's budget of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_delay: Duration,
    max_total_delay: Duration,
    seed: Option<u64>,
}

impl Default for RetryPolicy {
    /// Four attempts, with delays of at most a minute in all: up to 0.5 s before the second
    /// attempt, and up to twice as much before each further one.
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
    /// Returns a policy that sends every request once.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets how many times a request is sent at most; at least 1. Default: 4.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the maximum delay before the second attempt, which doubles with each attempt. Default:
    /// 0.5 s. The delay is a random part of it, so that many clients do not retry at the same
    /// moment.
    #[must_use]
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = delay;
        self
    }

    /// Sets the maximum sum of the delays of one request. If a `Retry-After` exceeds it, the
    /// request is not retried. Default: 60 s.
    #[must_use]
    pub fn max_total_delay(mut self, total: Duration) -> Self {
        self.max_total_delay = total;
        self
    }

    /// Makes the random delays repeatable.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Returns the delay before the next attempt, or `None` if there is none.
    pub(crate) fn next(
        &self,
        attempts_made: u32,
        delayed: Duration,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if attempts_made >= self.max_attempts {
            return None;
        }
        let delay = retry_after.unwrap_or_else(|| {
            let longest = self
                .initial_delay
                .saturating_mul(1 << (attempts_made - 1).min(16));
            crate::poll::scaled(longest, self.random_share(attempts_made))
        });
        (delayed.saturating_add(delay) <= self.max_total_delay).then_some(delay)
    }

    /// Returns a number from 0 to 1.
    fn random_share(&self, attempts_made: u32) -> f64 {
        match self.seed {
            None => fastrand::f64(),
            Some(seed) => {
                let seed = seed.wrapping_add(attempts_made.into());
                Rng::with_seed(seed).fork().f64()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_maximum_delay_doubles_until_the_attempts_are_used_up() {
        let policy = RetryPolicy::default().max_attempts(3).initial_delay(SECOND);
        let delays = |attempts: u32| -> Vec<Duration> {
            let delay = |seed| policy.seed(seed).next(attempts, Duration::ZERO, None);
            (0..1_000).filter_map(delay).collect()
        };
        for (attempts, longest) in [(1, SECOND), (2, 2 * SECOND)] {
            let delays = delays(attempts);
            assert!(delays.iter().all(|delay| *delay <= longest));
            assert!(delays.iter().any(|delay| *delay < longest / 10));
            assert!(delays.iter().any(|delay| *delay > longest * 9 / 10));
        }
        assert!(delays(3).is_empty());
        let policy = policy.seed(7);
        let again = policy.next(1, Duration::ZERO, None);
        assert_eq!(policy.next(1, Duration::ZERO, None), again);
        assert_eq!(RetryPolicy::none().next(1, Duration::ZERO, None), None);
    }

    #[test]
    fn retry_after_decides_within_the_total() {
        let policy = RetryPolicy::default().max_total_delay(10 * SECOND);
        assert_eq!(
            policy.next(1, Duration::ZERO, Some(7 * SECOND)),
            Some(7 * SECOND)
        );
        assert_eq!(policy.next(1, Duration::ZERO, Some(11 * SECOND)), None);
        assert_eq!(policy.next(2, 7 * SECOND, Some(4 * SECOND)), None);
    }
}
