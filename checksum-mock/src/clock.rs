use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The time that the stand-in lives in, counted from when the clock was made.
///
/// Unless it is moved by hand it follows tokio's clock, and so stands still where a test has paused
/// that. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    speed: f64,
    made: Instant,
    advanced: Arc<watch::Sender<Duration>>,
}

impl Clock {
    /// Time passes as it does.
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// Time passes that many times faster; not at all at 0 or below.
    pub fn scaled(speed: f64) -> Self {
        Self {
            speed: speed.max(0.0),
            made: Instant::now(),
            advanced: Arc::default(),
        }
    }

    /// Time passes only when [`advance`](Self::advance) is called.
    pub fn manual() -> Self {
        Self::scaled(0.0)
    }

    /// Moves the clock forward by hand, whatever its kind.
    pub fn advance(&self, by: Duration) {
        self.advanced
            .send_modify(|advanced| *advanced = advanced.saturating_add(by));
    }

    /// The time since the clock was made.
    pub fn now(&self) -> Duration {
        self.passed().saturating_add(*self.advanced.borrow())
    }

    /// The part of the time that passed by itself.
    fn passed(&self) -> Duration {
        seconds(self.made.elapsed().as_secs_f64() * self.speed)
    }

    /// Waits for that much time of this clock.
    pub(crate) async fn sleep(&self, by: Duration) {
        let until = self.now().saturating_add(by);
        let mut advanced = self.advanced.subscribe();
        loop {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            // At speed 0 the quotient is infinite, and the wait ends by hand alone.
            let left = seconds(left.as_secs_f64() / self.speed);
            // Which of the two it was does not matter: the loop looks at the time.
            let _ = tokio::time::timeout(left, advanced.changed()).await;
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

/// A duration of so many seconds, or the longest there is.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn follows_tokios_clock_at_its_speed() {
        let (real, scaled, manual) = (Clock::real(), Clock::scaled(60.0), Clock::manual());
        tokio::time::advance(SECOND).await;
        assert_eq!(
            [real.now(), scaled.now(), manual.now()],
            [SECOND, 60 * SECOND, Duration::ZERO]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn sleeps_in_its_own_time() {
        let clock = Clock::scaled(60.0);
        let started = Instant::now();
        clock.sleep(60 * SECOND).await;
        assert_eq!(started.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_manual_sleep_ends_by_hand() {
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
    async fn no_speed_and_no_step_is_too_large() {
        let clock = Clock::scaled(f64::INFINITY);
        clock.advance(Duration::MAX);
        tokio::time::advance(SECOND).await;
        assert_eq!(clock.now(), Duration::MAX);
    }
}
