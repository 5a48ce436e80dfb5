use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::PollPolicy;

/// The shortest pause between two polls of a service that is not on this machine.
const FLOOR: Duration = Duration::from_secs(1);

/// Measures the pauses of a wait, or of many waits that share it.
pub(crate) struct Pacer {
    pub(crate) policy: PollPolicy,
    floor: Duration,
    random: StdRng,
}

/// How far one wait has slowed down.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    next: Duration,
}

impl Pacer {
    /// `may_poll_fast` allows pauses of less than a second.
    pub(crate) fn new(policy: PollPolicy, may_poll_fast: bool) -> Self {
        let random = match policy.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        let floor = match may_poll_fast {
            true => Duration::ZERO,
            false => FLOOR,
        };
        Self {
            policy,
            floor,
            random,
        }
    }

    /// The pace of a wait that begins, or in which something has changed: more may follow soon.
    pub(crate) fn quick(&self) -> Pace {
        Pace {
            next: self.policy.initial_interval,
        }
    }

    /// The pause before the next look, when the wait has lasted `elapsed`.
    pub(crate) fn pause(&mut self, pace: &mut Pace, elapsed: Duration) -> Duration {
        let max_interval = if elapsed < self.policy.early {
            self.policy.initial_max_interval
        } else {
            self.policy.max_interval
        };
        let pause = pace.next.min(max_interval);
        pace.next = scaled(pause, self.policy.multiplier);
        let share = self.policy.jitter;
        let pause = scaled(pause, 1.0 + share * self.random.random_range(-1.0..=1.0));
        pause.max(self.floor)
    }

    /// The pause after a poll that failed. It is up to twice as long as any other, at random, so
    /// that waits which failed together do not come back together. A policy without jitter keeps
    /// its interval.
    pub(crate) fn pause_after_failure(&mut self, pace: &mut Pace, elapsed: Duration) -> Duration {
        let pause = self.pause(pace, elapsed);
        match self.policy.jitter > 0.0 {
            true => scaled(pause, self.random.random_range(1.0..=2.0)),
            false => pause,
        }
    }
}

/// A product that ends at the longest duration, where `Duration`'s own would panic.
pub(crate) fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The looks at a run that starts running after 15 s and ends after `length`: how many there
    /// are, and how long the end goes unnoticed.
    fn follow(policy: PollPolicy, length: f64) -> (u32, f64) {
        let mut pacer = Pacer::new(policy, true);
        let mut pace = pacer.quick();
        let (mut now, mut looks, mut running) = (0.0, 1, false);
        while now < length {
            let elapsed = Duration::from_secs_f64(now);
            now += pacer.pause(&mut pace, elapsed).as_secs_f64();
            looks += 1;
            if now >= 15.0 && !running {
                running = true;
                pace = pacer.quick();
            }
        }
        (looks, now - length)
    }

    #[test]
    fn costs_no_more_than_a_fixed_loop_and_notices_the_end_sooner() {
        let fixed = PollPolicy::fixed(Duration::from_secs(10));
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
        let mut pacer = Pacer::new(policy, true);
        let mut pace = pacer.quick();
        let mut pauses = |elapsed| {
            let elapsed = Duration::from_secs(elapsed);
            pacer.pause(&mut pace, elapsed).as_secs_f64()
        };
        let early: Vec<f64> = (0..7).map(|_| pauses(0)).collect();
        assert_eq!(early, [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]);
        assert_eq!(pauses(240), 9.75);
        let mut pace = pacer.quick();
        let pause = pacer.pause(&mut pace, Duration::from_secs(600));
        assert_eq!(pause, Duration::from_secs(1));
    }

    #[test]
    fn no_setting_overflows() {
        let policy = PollPolicy::fixed(Duration::MAX)
            .multiplier(f64::MAX)
            .jitter(f64::NAN);
        let mut pacer = Pacer::new(policy, true);
        let mut pace = pacer.quick();
        assert_eq!(pacer.pause(&mut pace, Duration::ZERO), Duration::MAX);
        assert_eq!(pacer.pause(&mut pace, Duration::MAX), Duration::MAX);
    }

    #[test]
    fn jitter_stays_within_its_share_and_repeats_with_its_seed() {
        let policy = PollPolicy::fixed(Duration::from_secs(10))
            .jitter(0.1)
            .seed(7);
        let draw = || {
            let mut pacer = Pacer::new(policy, true);
            let mut pace = pacer.quick();
            (0..100)
                .map(|_| pacer.pause(&mut pace, Duration::ZERO))
                .collect::<Vec<_>>()
        };
        let pauses = draw();
        assert_eq!(pauses, draw());
        let range = Duration::from_secs(9)..=Duration::from_secs(11);
        assert!(pauses.iter().all(|pause| range.contains(pause)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn a_service_elsewhere_is_polled_once_a_second_at_the_most() {
        for policy in [PollPolicy::fixed(Duration::ZERO), PollPolicy::default()] {
            let mut pacer = Pacer::new(policy.seed(7), false);
            let mut pace = pacer.quick();
            let mut pauses = (0..100).map(|_| pacer.pause(&mut pace, Duration::ZERO));
            assert!(pauses.all(|pause| pause >= FLOOR));
        }
    }

    #[test]
    fn pauses_after_failures_are_spread_over_twice_the_interval() {
        let policy = PollPolicy::fixed(Duration::from_secs(10)).jitter(0.1);
        let mut pacer = Pacer::new(policy.seed(7), true);
        let mut pace = pacer.quick();
        let pauses: Vec<Duration> = (0..1_000)
            .map(|_| pacer.pause_after_failure(&mut pace, Duration::ZERO))
            .collect();
        let (least, most) = (Duration::from_secs(9), Duration::from_secs(22));
        assert!(pauses.iter().all(|pause| (least..=most).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_secs(11)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(19)));
    }
}
