use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::PollPolicy;

/// The pauses of one wait.
pub(crate) struct Pace {
    policy: PollPolicy,
    next: Duration,
    random: StdRng,
}

impl Pace {
    pub(crate) fn new(policy: PollPolicy) -> Self {
        let random = match policy.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        Self {
            policy,
            next: policy.first_delay,
            random,
        }
    }

    /// Something changed: more may follow soon.
    pub(crate) fn quicken(&mut self) {
        self.next = self.policy.first_delay;
    }

    /// The pause before the next look, when the wait has lasted `elapsed`.
    pub(crate) fn pause(&mut self, elapsed: Duration) -> Duration {
        let ceiling = if elapsed < self.policy.early {
            self.policy.early_ceiling
        } else {
            self.policy.ceiling
        };
        let pause = self.next.min(ceiling);
        self.next = scaled(pause, self.policy.growth);
        let share = self.policy.jitter;
        scaled(pause, 1.0 + share * self.random.random_range(-1.0..=1.0))
    }
}

/// A product that ends at the longest duration, where `Duration`'s own would panic.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The looks at a run that starts running after 15 s and ends after `length`: how many there
    /// are, and how long the end goes unnoticed.
    fn follow(policy: PollPolicy, length: f64) -> (u32, f64) {
        let mut pace = Pace::new(policy);
        let (mut now, mut looks, mut running) = (0.0, 1, false);
        while now < length {
            now += pace.pause(Duration::from_secs_f64(now)).as_secs_f64();
            looks += 1;
            if now >= 15.0 && !running {
                running = true;
                pace.quicken();
            }
        }
        (looks, now - length)
    }

    #[test]
    fn costs_no_more_than_a_fixed_loop_and_notices_the_end_sooner() {
        let fixed = PollPolicy::every(Duration::from_secs(10));
        let (mut ours, mut theirs) = ((0, 0.0), (0, 0.0));
        for step in 0..4_000_u32 {
            let length = 300.0 + f64::from(step) * 0.3;
            let (looks, late) = follow(PollPolicy::default().seed(step.into()), length);
            ours = (ours.0 + looks, ours.1 + late);
            let (fixed_looks, fixed_late) = follow(fixed, length);
            theirs = (theirs.0 + fixed_looks, theirs.1 + fixed_late);
            assert!(
                looks <= fixed_looks,
                "{looks} looks at {length} s, {fixed_looks} fixed"
            );
        }
        assert!(
            ours.1 < theirs.1,
            "late by {} s against {} s",
            ours.1,
            theirs.1
        );
    }

    #[test]
    fn grows_to_the_ceiling_and_quickens() {
        let policy = PollPolicy::default().jitter(0.0);
        let mut pace = Pace::new(policy);
        let mut pauses = |elapsed| pace.pause(Duration::from_secs(elapsed)).as_secs_f64();
        let early: Vec<f64> = (0..7).map(|_| pauses(0)).collect();
        assert_eq!(early, [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]);
        assert_eq!(pauses(240), 9.75);
        pace.quicken();
        assert_eq!(pace.pause(Duration::from_secs(600)), Duration::from_secs(1));
    }

    #[test]
    fn no_setting_overflows() {
        let policy = PollPolicy::every(Duration::MAX)
            .growth(f64::MAX)
            .jitter(f64::NAN);
        let mut pace = Pace::new(policy);
        assert_eq!(pace.pause(Duration::ZERO), Duration::MAX);
        assert_eq!(pace.pause(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn jitter_stays_within_its_share_and_repeats_with_its_seed() {
        let policy = PollPolicy::every(Duration::from_secs(10))
            .jitter(0.1)
            .seed(7);
        let draw = || {
            let mut pace = Pace::new(policy);
            (0..100)
                .map(|_| pace.pause(Duration::ZERO))
                .collect::<Vec<_>>()
        };
        let pauses = draw();
        assert_eq!(pauses, draw());
        let range = Duration::from_secs(9)..=Duration::from_secs(11);
        assert!(pauses.iter().all(|pause| range.contains(pause)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
