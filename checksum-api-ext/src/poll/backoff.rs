//! The growing intervals between the polls of one wait, with jitter.

use std::time::Duration;

use fastrand::Rng;

use super::policy::PollPolicy;

/// The intervals between the polls of one wait. It takes the policy with each call, because
/// thousands of waits share one policy.
pub(crate) struct Backoff {
    /// In seconds: a set of thousands of works holds one of these for each.
    next: f64,
    random: Rng,
}

impl Backoff {
    /// Each `number` has its own jitter, even if the policy has a seed.
    pub(crate) fn new(policy: &PollPolicy, number: u64) -> Self {
        let random = match policy.seed {
            // `fork`, since the first numbers of neighbouring seeds resemble one another.
            Some(seed) => Rng::with_seed(seed.wrapping_add(number)).fork(),
            None => Rng::new(),
        };
        Self {
            next: policy.initial_interval.as_secs_f64(),
            random,
        }
    }

    /// Goes back to the initial interval.
    pub(crate) fn reset(&mut self, policy: &PollPolicy) {
        self.next = policy.initial_interval.as_secs_f64();
    }

    /// Makes the next interval half of the last one after a change, since another may follow soon.
    /// The change may have come at any time in the last interval: a much shorter one learns little.
    ///
    /// To go back to the initial interval costs more, in the measure of [`PollPolicy`]: 1% if a run
    /// changes once, when it starts running, and 8 to 9% if its counts change five times more.
    pub(crate) fn on_change(&mut self, policy: &PollPolicy) {
        let half = self.next * 0.5 / policy.multiplier;
        self.next = half.max(policy.initial_interval.as_secs_f64());
    }

    /// Returns the interval before the next poll of work that was started `elapsed` ago.
    pub(crate) fn next_interval(&mut self, policy: &PollPolicy, elapsed: Duration) -> Duration {
        let max_interval = policy.expected.interval(elapsed, policy.max_interval);
        let interval = self.next.min(max_interval.as_secs_f64());
        self.next = interval * policy.multiplier;
        let share = policy.jitter;
        let interval = interval * (1.0 + share * (2.0 * self.random.f64() - 1.0));
        seconds(interval).max(policy.min_interval)
    }

    /// Returns the interval after a poll that failed: up to twice as long, at random, so that waits
    /// which failed together do not poll again together. A policy without jitter keeps its
    /// interval.
    ///
    /// It is no shorter than `retry_after`, to which the policy's jitter is added for the same
    /// reason, but `retry_after` counts only up to `max_retry_after`.
    pub(crate) fn next_interval_after_failure(
        &mut self,
        policy: &PollPolicy,
        elapsed: Duration,
        retry_after: Option<Duration>,
        max_retry_after: Duration,
    ) -> Duration {
        let mut interval = self.next_interval(policy, elapsed);
        if policy.jitter > 0.0 {
            interval = scaled(interval, 1.0 + self.random.f64());
        }
        let retry_after = retry_after.unwrap_or_default();
        let spread = 1.0 + policy.jitter * self.random.f64();
        interval.max(scaled(retry_after, spread).min(max_retry_after))
    }
}

/// Returns the product, or the longest duration where `Duration`'s own multiplication panics.
pub(crate) fn scaled(duration: Duration, factor: f64) -> Duration {
    seconds(duration.as_secs_f64() * factor)
}

/// Returns the duration, or the longest one if it is longer.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fast(policy: PollPolicy) -> PollPolicy {
        policy.for_client(true, true)
    }

    fn intervals(policy: &PollPolicy, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::new(policy, 0);
        (0..count)
            .map(|_| backoff.next_interval(policy, Duration::ZERO))
            .collect()
    }

    #[test]
    fn intervals_grow_to_what_suits_the_age_and_shrink_after_a_change() {
        let policy = PollPolicy::default().jitter(0.0);
        let mut backoff = Backoff::new(&policy, 0);
        let next = |backoff: &mut Backoff, elapsed| {
            let elapsed = Duration::from_secs(elapsed);
            backoff.next_interval(&policy, elapsed).as_secs_f64()
        };
        let early: Vec<f64> = [0, 1, 5, 18]
            .map(|elapsed| next(&mut backoff, elapsed))
            .into();
        assert_eq!(early, [1.0, 4.0, 12.3, 13.08]);
        assert_eq!(next(&mut backoff, 150), 21.0);
        backoff.on_change(&policy);
        assert_eq!(next(&mut backoff, 171), 10.5);
        assert_eq!(next(&mut backoff, 292), 8.0, "up to the first expected end");
        assert_eq!(next(&mut backoff, 299), 5.0);
        assert_eq!(next(&mut backoff, 300), 9.2);
        assert_eq!(next(&mut backoff, 1000), 8.7);
        assert_eq!(next(&mut backoff, 1499), 5.0);
        assert_eq!(next(&mut backoff, 1500), 8.1);
        backoff.reset(&policy);
        assert_eq!(next(&mut backoff, 600), 1.0);
        let policy = policy.max_interval(Duration::from_secs(3));
        backoff.next_interval(&policy, Duration::ZERO);
        assert_eq!(
            backoff.next_interval(&policy, Duration::from_secs(160)),
            Duration::from_secs(3)
        );
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let policy = PollPolicy::fixed(Duration::MAX)
            .multiplier(f64::MAX)
            .jitter(f64::NAN);
        assert_eq!(intervals(&policy, 3), [Duration::MAX; 3]);
        let interval = Backoff::new(&policy, 0).next_interval_after_failure(
            &policy,
            Duration::MAX,
            Some(Duration::MAX),
            Duration::MAX,
        );
        assert_eq!(interval, Duration::MAX);
    }

    #[test]
    fn jitter_stays_within_its_share_and_repeats_with_its_seed() {
        let fixed = PollPolicy::fixed(Duration::from_secs(10));
        let policy = fixed.jitter(0.1).seed(7);
        let drawn = intervals(&policy, 100);
        assert_eq!(drawn, intervals(&policy, 100));
        let range = Duration::from_secs(9)..=Duration::from_secs(11);
        assert!(drawn.iter().all(|interval| range.contains(interval)));
        assert!(drawn.iter().any(|interval| *interval != drawn[0]));
        let other = Backoff::new(&policy, 1).next_interval(&policy, Duration::ZERO);
        assert_ne!(other, drawn[0], "each wait of a seed has its own jitter");
    }

    #[test]
    fn a_service_elsewhere_is_polled_at_most_once_a_second() {
        for policy in [PollPolicy::immediate(), PollPolicy::default().seed(7)] {
            let second = Duration::from_secs(1);
            assert!(intervals(&policy, 100).iter().all(|one| *one >= second));
        }
        assert_eq!(
            intervals(&fast(PollPolicy::immediate()), 1)[0],
            Duration::ZERO
        );
    }

    #[test]
    fn intervals_after_failures_are_spread_whether_or_not_the_service_names_one() {
        let policy = PollPolicy::fixed(Duration::from_secs(10))
            .jitter(0.1)
            .seed(7);
        for (retry_after, max, bounds) in [
            (None, 300, 9..=22),
            (Some(60), 300, 60..=66),
            (Some(86_400), 300, 300..=300),
        ] {
            let mut backoff = Backoff::new(&policy, 0);
            let retry_after = retry_after.map(Duration::from_secs);
            let mut drawn: Vec<u64> = (0..1_000)
                .map(|_| {
                    let max = Duration::from_secs(max);
                    let elapsed = Duration::ZERO;
                    backoff.next_interval_after_failure(&policy, elapsed, retry_after, max)
                })
                .map(|interval| interval.as_secs())
                .collect();
            assert!(drawn.iter().all(|one| bounds.contains(one)), "{drawn:?}");
            drawn.sort_unstable();
            drawn.dedup();
            let spread = bounds.end() - bounds.start();
            assert!(drawn.len() as u64 >= spread * 9 / 10, "{drawn:?}");
        }
    }
}
