use std::time::Duration;

/// When a failed request is sent again.
///
/// Reads are repeated when the failure may pass: no connection, a time-out, 408, 425, 429, 5xx, an
/// answer that is not JSON. A request that starts work is repeated only where the service cannot
/// have acted on it: no connection was made, or 429. `Retry-After` is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    delay: Duration,
    budget: Duration,
}

impl Default for RetryPolicy {
    /// Four attempts within a minute, half a second apart and then twice that each time.
    fn default() -> Self {
        Self {
            attempts: 4,
            delay: Duration::from_millis(500),
            budget: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// How often a request is sent at most; none is sent less than once.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The pause before the second attempt; it doubles with each.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// How long the pauses may be taken together. A `Retry-After` beyond it ends the attempts.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The pause before the next attempt, where there is one.
    pub(crate) fn next(
        &self,
        attempts_made: u32,
        paused: Duration,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if attempts_made >= self.attempts {
            return None;
        }
        let doubled = self.delay.saturating_mul(1 << (attempts_made - 1).min(16));
        let pause = retry_after.unwrap_or(doubled);
        (paused.saturating_add(pause) <= self.budget).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn doubles_until_the_attempts_are_used_up() {
        let policy = RetryPolicy::default().attempts(3).delay(SECOND);
        assert_eq!(policy.next(1, Duration::ZERO, None), Some(SECOND));
        assert_eq!(policy.next(2, SECOND, None), Some(2 * SECOND));
        assert_eq!(policy.next(3, 3 * SECOND, None), None);
        assert_eq!(RetryPolicy::never().next(1, Duration::ZERO, None), None);
    }

    #[test]
    fn the_service_decides_within_the_budget() {
        let policy = RetryPolicy::default().budget(10 * SECOND);
        assert_eq!(
            policy.next(1, Duration::ZERO, Some(7 * SECOND)),
            Some(7 * SECOND)
        );
        assert_eq!(policy.next(1, Duration::ZERO, Some(11 * SECOND)), None);
        assert_eq!(policy.next(2, 7 * SECOND, Some(4 * SECOND)), None);
    }
}
