//! The time that runs, batches, delays and recorded requests follow.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The mock server's time, counted from the creation of the clock.
///
/// It follows tokio's time, which a test can pause, and can be advanced by hand. Clones share their
/// time.
#[derive(Clone, Debug)]
pub struct Clock {
    speed: f64,
    created: Instant,
    advanced: Arc<watch::Sender<Duration>>,
}

impl Clock {
    /// Returns a clock that runs in real time.
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// Returns a clock that runs `speed` times as fast as real time. At 0 or below it stands still.
    pub fn scaled(speed: f64) -> Self {
        Self {
            speed: speed.max(0.0),
            created: Instant::now(),
            advanced: Arc::default(),
        }
    }

    /// Returns a clock that stands still until [`advance`](Self::advance) is called.
    pub fn manual() -> Self {
        Self::scaled(0.0)
    }

    /// Moves the clock forward, whatever its speed.
    pub fn advance(&self, by: Duration) {
        self.advanced
            .send_modify(|advanced| *advanced = advanced.saturating_add(by));
    }

    /// Returns the time since the clock was created.
    pub fn now(&self) -> Duration {
        self.passed().saturating_add(*self.advanced.borrow())
    }

    fn passed(&self) -> Duration {
        seconds(self.created.elapsed().as_secs_f64() * self.speed)
    }

    /// Waits for a time of this clock.
    pub(crate) async fn sleep(&self, by: Duration) {
        let until = self.now().saturating_add(by);
        let mut advanced = self.advanced.subscribe();
        loop {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            // At speed 0 the quotient is infinite, so that only `advance` ends the wait.
            let left = seconds(left.as_secs_f64() / self.speed);
            let _ = tokio::time::timeout(left, advanced.changed()).await;
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

/// Returns a duration, at most the longest possible one.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn time_follows_tokio_at_the_speed_of_the_clock() {
        let (real, scaled, manual) = (Clock::real(), Clock::scaled(60.0), Clock::manual());
        tokio::time::advance(SECOND).await;
        assert_eq!(
            [real.now(), scaled.now(), manual.now()],
            [SECOND, 60 * SECOND, Duration::ZERO]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn sleep_takes_time_of_the_clock() {
        let clock = Clock::scaled(60.0);
        let started = Instant::now();
        clock.sleep(60 * SECOND).await;
        assert_eq!(started.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn advance_ends_a_sleep() {
        let clock = Clock::manual();
        let asleep = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(2 * SECOND).await }
        });
        tokio::time::sleep(3600 * SECOND).await;
        clock.advance(SECOND);
        tokio::time::sleep(3600 * SECOND).await;
        assert!(!asleep.is_finished());
        clock.advance(SECOND);
        asleep.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn time_saturates() {
        let clock = Clock::scaled(f64::INFINITY);
        clock.advance(Duration::MAX);
        tokio::time::advance(SECOND).await;
        assert_eq!(clock.now(), Duration::MAX);
    }
}
