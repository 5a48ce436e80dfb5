use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time that the stand-in lives in, counted from when it was made.
///
/// It follows tokio's clock, and so stands still where a test has paused that.
#[derive(Clone, Debug)]
pub struct Clock {
    speed: f64,
    made: Instant,
    advanced: Arc<Mutex<Duration>>,
}

impl Clock {
    /// Time passes as it does.
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// Time passes that many times faster.
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

    /// Moves the clock forward, by hand, whatever its kind.
    pub fn advance(&self, by: Duration) {
        *self.advanced.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// The time since the clock was made.
    pub fn now(&self) -> Duration {
        let advanced = *self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        self.made.elapsed().mul_f64(self.speed) + advanced
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}
