//! How long work is expected to take, and the longest interval that suits each moment of it.

use std::time::Duration;

/// The spread in seconds^½ of the intervals: the cost of a request, as lag.
///
/// Where ends have the hazard `h` (ends per second, of the work that has not ended), the intervals
/// that make `lag + cost × requests` least are `√(2 × cost / h)`. So this is `√(2 × cost)`, and a
/// request costs 0.04 s of mean lag. Runs of 5 to 25 minutes then take as many requests as a fixed
/// interval of 10 s.
const SCALE: f64 = 0.29;

/// No spread is taken to be smaller: a few runs may agree by chance.
const MIN_SPREAD: f64 = 0.05;

/// A poll of a set that is behind with its polls is likely to find an end once the work has ended with
/// this probability since its last poll, `1 - exp(-0.35)`. Only the order of works depends on it.
const LIKELY: f64 = 0.35;

/// How long work is expected to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    /// Nothing is known.
    Unknown,
    /// A run takes 5 to 25 minutes.
    Usual,
    /// The logarithm of the duration is spread by `spread` about that of `median`, in seconds.
    Known { median: f64, spread: f64 },
}

impl Expected {
    pub(super) fn new(median: Duration, spread: f64) -> Self {
        Self::Known {
            median: median.as_secs_f64().max(1.0),
            spread: if spread.is_nan() {
                MIN_SPREAD
            } else {
                spread.clamp(MIN_SPREAD, 2.0)
            },
        }
    }

    /// Returns the interval after a poll of work that was started `elapsed` ago, at most `max`.
    pub(super) fn interval(self, elapsed: Duration, max: Duration) -> Duration {
        let (elapsed, limit) = (elapsed.as_secs_f64(), max.as_secs_f64());
        let interval = match self {
            Self::Unknown => return max,
            Self::Usual => usual_interval(elapsed),
            Self::Known { median, spread } => known_interval(elapsed, limit, median, spread),
        };
        Duration::from_secs_f64(interval.max(0.0)).min(max)
    }

    /// Returns the age at which work that had not ended at the age of `elapsed` is likely to have ended:
    /// what a set orders its polls by when it is behind with them. `None` if nothing is known.
    pub(super) fn likely_end(self, elapsed: Duration) -> Option<Duration> {
        let age = elapsed.as_secs_f64();
        let left = match self {
            Self::Unknown => return None,
            Self::Usual => usual_time_left(age),
            Self::Known { median, spread } => known_time_left(age, median, spread),
        };
        // A thousandth of the age keeps works in turn whose end is equally unlikely.
        let left = Duration::try_from_secs_f64(left).unwrap_or_default() + elapsed / 1000;
        Some(elapsed.saturating_add(left))
    }
}

/// Returns the interval for a run of which only the usual duration is known, in seconds.
///
/// Few runs end in the first 5 minutes, so that the interval grows until then. The longer a run has
/// taken since, the more likely is its end in the next seconds, until 25 minutes have passed and
/// nothing is known any more. For such a run, intervals that differ cost more than equal ones: from
/// then on the interval is about the mean of the earlier ones.
///
/// With these figures, no distribution of `cost.rs` costs more than a fixed interval, except runs of
/// less than a minute.
fn usual_interval(elapsed: f64) -> f64 {
    const SHORTEST: f64 = 5.0;
    let until_first_end = 300.0 - elapsed;
    if until_first_end > 0.0 {
        (12.0 + 0.06 * elapsed).min(until_first_end.max(SHORTEST))
    } else if elapsed < 1500.0 {
        (18.7 - 0.01 * elapsed).clamp(SHORTEST, 9.2)
    } else {
        8.1
    }
}

/// Returns in how many seconds a run is likely to have ended of which only the usual duration is known.
///
/// The hazard is `1 / (1640 - age)` from the first expected end on, up to what suits the shortest
/// interval of [`usual_interval`], and a third as high before.
fn usual_time_left(age: f64) -> f64 {
    let until_first_end = (300.0 - age).max(0.0);
    let share = 1.0 - (-LIKELY).exp();
    (share * (1640.0 - age.max(300.0)).abs()).clamp(126.0, share * 1340.0) + 0.7 * until_first_end
}

/// Returns in how many seconds the work is likely to have ended, by the distribution of
/// [`known_interval`].
fn known_time_left(age: f64, median: f64, spread: f64) -> f64 {
    let shape = 1.7 / spread;
    let odds = (1.0 + (age / median).powf(shape)) * LIKELY.exp() - 1.0;
    median * odds.powf(1.0 / shape) - age
}

/// Returns the interval whose length suits the hazard at its end, in seconds: a poll that is due
/// before the usual duration must not skip it.
///
/// The durations are taken to be log-logistic, whose hazard is elementary and, unlike a normal
/// distribution's, falls once the work takes far longer than ever before. Work that outlasts 99 of
/// 100 is polled no more often than work of which nothing is known.
fn known_interval(elapsed: f64, max: f64, median: f64, spread: f64) -> f64 {
    // A logistic distribution of the shape 1 / 1.7 resembles the normal distribution.
    let shape = 1.7 / spread;
    let hazard = |at: f64| shape / at / (1.0 + (median / at).powf(shape));
    let (mut low, mut high) = (0.0, max.min(1e9));
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if middle * hazard(elapsed + middle).sqrt() < SCALE {
            low = middle;
        } else {
            high = middle;
        }
    }
    let has_outlasted = (elapsed / median).powf(shape) > 99.0;
    if has_outlasted {
        high.max(usual_interval(elapsed))
    } else {
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely_end(expected: Expected, elapsed: f64) -> f64 {
        let end = expected.likely_end(Duration::from_secs_f64(elapsed));
        end.expect("an age").as_secs_f64()
    }

    #[test]
    fn a_usual_run_is_likely_to_end_after_the_first_expected_end() {
        for (elapsed, left) in [
            (0.0, 605.7),
            (100.0, 535.7),
            (300.0, 395.7),
            (1000.0, 189.0),
            (1500.0, 126.0),
            (2640.0, 295.3),
            (9000.0, 395.7),
        ] {
            let end = likely_end(Expected::Usual, elapsed);
            assert!(
                (end - 1.001 * elapsed - left).abs() < 0.1,
                "{elapsed}: {end}"
            );
        }
        assert_eq!(Expected::Unknown.likely_end(Duration::ZERO), None);
    }

    #[test]
    fn of_the_works_of_an_age_the_same_share_lasts_beyond_the_likely_end() {
        let lasting = |age: f64| 1.0 / (1.0 + (age / 480.0).powf(1.7 / 0.15));
        let expected = Expected::new(Duration::from_secs(480), 0.15);
        for elapsed in [0.0, 100.0, 400.0, 480.0, 600.0, 2000.0] {
            let end = likely_end(expected, elapsed) - elapsed / 1000.0;
            let share = lasting(end) / lasting(elapsed);
            assert!((share - 0.7047).abs() < 1e-4, "{elapsed}: {share}");
        }
    }
}
