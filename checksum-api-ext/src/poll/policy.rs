use std::time::Duration;

/// How a run or batch is waited for.
///
/// Looks are quick at first, so that a run which ends or starts at once is noticed, and then grow
/// apart to a max_interval; a change makes them quick again. Runs are known to take 5 to 25 minutes, so
/// there is a long max_interval while no run is expected to end and a shorter one from then on.
/// `Retry-After` makes a pause longer, up to what is left of the [`error_timeout`](Self::error_timeout), and
/// never shorter. A service that is not on this machine is polled once a second at the most,
/// unless the client has a transport of its own.
///
/// ```
/// use std::time::Duration;
/// use checksum_api_ext::PollPolicy;
///
/// let policy = PollPolicy::default().deadline(Duration::from_secs(30 * 60));
/// let fixed = PollPolicy::fixed(Duration::from_secs(10));
/// # let _ = (policy, fixed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollPolicy {
    pub(crate) initial_interval: Duration,
    pub(crate) multiplier: f64,
    pub(crate) initial_max_interval: Duration,
    pub(crate) early: Duration,
    pub(crate) max_interval: Duration,
    pub(crate) jitter: f64,
    pub(crate) seed: Option<u64>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) error_timeout: Duration,
    pub(crate) not_found_grace: Duration,
    pub(crate) not_found_grace_of_unknown_age: Duration,
    pub(crate) confirmation_timeout: Duration,
    pub(crate) failure_reason_timeout: Duration,
}

impl Default for PollPolicy {
    /// Suits runs of 5 to 25 minutes: no more requests than a fixed loop of 10 s, and the end is
    /// noticed sooner on average.
    fn default() -> Self {
        Self {
            initial_interval: Duration::from_secs(1),
            multiplier: 2.0,
            initial_max_interval: Duration::from_secs(20),
            early: Duration::from_secs(4 * 60),
            max_interval: Duration::from_millis(9_750),
            jitter: 0.1,
            seed: None,
            deadline: None,
            error_timeout: Duration::from_secs(5 * 60),
            not_found_grace: Duration::from_secs(30),
            not_found_grace_of_unknown_age: Duration::ZERO,
            confirmation_timeout: Duration::from_secs(120),
            failure_reason_timeout: Duration::from_secs(5),
        }
    }
}

impl PollPolicy {
    /// A fixed interval, without multiplier or jitter.
    pub fn fixed(interval: Duration) -> Self {
        Self {
            initial_interval: interval,
            multiplier: 1.0,
            initial_max_interval: interval,
            max_interval: interval,
            jitter: 0.0,
            ..Self::default()
        }
    }

    /// Polls without any pause, for tests against a mock server on this machine.
    ///
    /// A service elsewhere is still polled once a second at most.
    pub fn immediate() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// The pause after the first look and after each change.
    #[must_use]
    pub fn initial_interval(mut self, delay: Duration) -> Self {
        self.initial_interval = delay;
        self
    }

    /// The factor by which pauses grow while nothing changes; below 1 it counts as 1.
    #[must_use]
    pub fn multiplier(mut self, factor: f64) -> Self {
        self.multiplier = factor.max(1.0);
        self
    }

    /// The longest pause during the first `period` of a wait.
    #[must_use]
    pub fn initial_max_interval(mut self, max_interval: Duration, period: Duration) -> Self {
        self.initial_max_interval = max_interval;
        self.early = period;
        self
    }

    /// The longest pause after that period.
    #[must_use]
    pub fn max_interval(mut self, max_interval: Duration) -> Self {
        self.max_interval = max_interval;
        self
    }

    /// The share by which a pause is made longer or shorter at random, from 0 to 1.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        self
    }

    /// Makes the jitter repeatable.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long to wait in all; without it, to the end. When it passes, the wait ends with
    /// [`Error::WaitTimedOut`](crate::Error::WaitTimedOut) and the work goes on. Each wait polls
    /// once at least, and once more where the process was suspended beyond the deadline; such a poll has 5 s.
    ///
    /// It bounds a start as well: a request that was not acted on is not repeated later than this,
    /// and one that is under way is given up then, but not before it has had a second.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// For how long looks may fail in a row before the wait gives up; 5 minutes. Three failures in
    /// a row are tolerated however long they take.
    #[must_use]
    pub fn error_timeout(mut self, error_timeout: Duration) -> Self {
        self.error_timeout = error_timeout;
        self
    }

    /// For how long after its start a run may be unknown to the service; 30 s.
    #[must_use]
    pub fn not_found_grace(mut self, not_found_grace: Duration) -> Self {
        self.not_found_grace = not_found_grace;
        self
    }

    /// The same for work of which it is not known when it was started, such as a run by its name,
    /// from the beginning of the wait; none by default, so that a wrong name is found out at once.
    #[must_use]
    pub fn not_found_grace_of_unknown_age(mut self, not_found_grace: Duration) -> Self {
        self.not_found_grace_of_unknown_age = not_found_grace;
        self
    }

    /// Sets for how long a wait tries to confirm a pass by the route that takes a test run id, if
    /// the start of the run gave one beside the job name. Default: 2 minutes.
    #[must_use]
    pub fn confirmation_timeout(mut self, timeout: Duration) -> Self {
        self.confirmation_timeout = timeout;
        self
    }

    /// Sets for how long a wait tries to learn the reason of a failure by that route. Default: 5 s.
    #[must_use]
    pub fn failure_reason_timeout(mut self, timeout: Duration) -> Self {
        self.failure_reason_timeout = timeout;
        self
    }
}
