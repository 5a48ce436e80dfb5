//! The policy of a wait: how often to poll, and what ends the wait.

use std::time::Duration;

use super::expected::Expected;
use crate::error::Error;

/// The shortest interval between two polls of a service that is not on this machine.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// How to wait for a run or batch: how often it is polled, and what ends the wait.
///
/// Polls are quick at first, so that a run which ends at once is noticed, then the interval grows as
/// far as suits the work. A change halves the next interval.
///
/// Runs are known to take 5 to 25 minutes. By default the interval is up to 30 s while no run is
/// expected to end, and then 9.2 to 5 s. [`expecting`](Self::expecting) and
/// [`learnt_from`](Self::learnt_from) say how long the work takes: then polls gather where its end
/// is likely. `lag × requests / (mean duration / 2)` is 1 for a fixed interval, whatever its length:
///
/// | durations | default | expecting |
/// | --- | --- | --- |
/// | 5 to 25 minutes, uniform | 0.79 | |
/// | 60% around 8 minutes, 25% around 20, 10% of 1 to 3 minutes, 5% within 20 s | 1.00 | |
/// | 8 minutes, spread 0.15 | 0.76 | 0.37 |
/// | 2 hours, spread 0.05 by default and 0.15 with an expectation | 1.00 | 0.41 |
///
/// `Retry-After` makes an interval longer, up to what is left of the
/// [`error_timeout`](Self::error_timeout), and never shorter. A service that is not on this machine
/// is polled at most once a second, unless the client has a transport of its own.
///
/// ```
/// use std::time::Duration;
/// use checksum_api_ext::PollPolicy;
///
/// let adaptive = PollPolicy::default().deadline(Duration::from_secs(30 * 60));
/// let known = PollPolicy::expecting(Duration::from_secs(8 * 60), 0.15);
/// let fixed = PollPolicy::fixed(Duration::from_secs(10));
/// let in_a_test = PollPolicy::immediate();
/// # let _ = (adaptive, known, fixed, in_a_test);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollPolicy {
    pub(super) initial_interval: Duration,
    pub(super) multiplier: f64,
    pub(super) max_interval: Duration,
    pub(super) expected: Expected,
    pub(super) jitter: f64,
    pub(super) seed: Option<u64>,
    pub(crate) deadline: Option<Duration>,
    pub(super) error_timeout: Duration,
    pub(super) not_found_grace: Duration,
    pub(super) not_found_grace_of_unknown_age: Duration,
    pub(crate) confirmation_timeout: Duration,
    pub(crate) failure_reason_timeout: Duration,
    pub(super) min_interval: Duration,
    pub(super) tolerates_unauthorized: bool,
}

impl Default for PollPolicy {
    /// Suits runs of 5 to 25 minutes: on average no more requests than a fixed interval of 10 s, and
    /// the end is noticed after 4 s on average instead of 5 s.
    fn default() -> Self {
        Self {
            initial_interval: Duration::from_secs(1),
            multiplier: 4.0,
            max_interval: Duration::from_secs(30),
            expected: Expected::Usual,
            jitter: 0.1,
            seed: None,
            deadline: None,
            error_timeout: Duration::from_secs(5 * 60),
            not_found_grace: Duration::from_secs(30),
            not_found_grace_of_unknown_age: Duration::ZERO,
            confirmation_timeout: Duration::from_secs(120),
            failure_reason_timeout: Duration::from_secs(5),
            min_interval: MIN_INTERVAL,
            tolerates_unauthorized: false,
        }
    }
}

impl PollPolicy {
    /// Returns a policy that polls at a fixed interval, without growth and without jitter.
    pub fn fixed(interval: Duration) -> Self {
        Self {
            initial_interval: interval,
            multiplier: 1.0,
            max_interval: interval,
            expected: Expected::Unknown,
            jitter: 0.0,
            ..Self::default()
        }
    }

    /// Returns a policy that polls without any interval, for tests against a mock server on this
    /// machine.
    ///
    /// A service elsewhere is still polled at most once a second.
    pub fn immediate() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// Returns a policy for work that usually takes `median`, with a `spread` of 0.15 if two thirds
    /// of the work take up to 15% more or less. Precisely, it is the standard deviation of the
    /// logarithm of the durations; it is limited to between 0.05 and 2.
    ///
    /// The time counts from the start of the work, where the handle knows it, otherwise from the
    /// start of the wait. Polls are up to 60 s apart where the end is unlikely. The expectation may
    /// be wrong: work that takes far longer is polled as by default.
    pub fn expecting(median: Duration, spread: f64) -> Self {
        Self {
            max_interval: Duration::from_secs(60),
            expected: Expected::new(median, spread),
            ..Self::default()
        }
    }

    /// Returns a policy that expects work to take as long as earlier work did, or the default if
    /// there are fewer than 4 `durations`. A few that failed at once do not matter: it takes the
    /// median, and the spread of the middle half.
    pub fn learnt_from(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut durations: Vec<Duration> = durations.into_iter().collect();
        durations.sort_unstable();
        let count = durations.len();
        if count < 4 {
            return Self::default();
        }
        let quartile = |number: usize| durations[(count - 1) * number / 4];
        let ratio = quartile(3).as_secs_f64() / quartile(1).as_secs_f64();
        // The middle half of a normal distribution is 1.35 standard deviations wide.
        Self::expecting(quartile(2), ratio.ln() / 1.35)
    }

    /// Sets the interval after the first poll. Default: 1 s.
    #[must_use]
    pub fn initial_interval(mut self, interval: Duration) -> Self {
        self.initial_interval = interval;
        self
    }

    /// Sets the factor by which the interval grows from the initial one. Default: 4. A factor below 1
    /// counts as 1.
    #[must_use]
    pub fn multiplier(mut self, factor: f64) -> Self {
        self.multiplier = factor.max(1.0);
        self
    }

    /// Sets the longest interval, whatever the work is expected to take. Default: 30 s, or 60 s if
    /// the caller has said what to expect.
    #[must_use]
    pub fn max_interval(mut self, max_interval: Duration) -> Self {
        self.max_interval = max_interval;
        self
    }

    /// Sets the share, from 0 to 1, by which each interval is made longer or shorter at random.
    /// Default: 0.1.
    ///
    /// With any jitter, the interval after a failure is up to twice as long, at random, so that
    /// waits which failed together do not poll again together.
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

    /// Sets how long to wait in all. Default: until the work is done.
    ///
    /// At the deadline the wait fails with an error that
    /// [`is_deadline_exceeded`](crate::Error::is_deadline_exceeded), and the work goes on. Each
    /// wait polls at least once, and once more if the process was suspended beyond the deadline;
    /// such a poll may take 5 s.
    ///
    /// The deadline also limits a start: a request that the service did not act on is not repeated
    /// after it, and a request that is in flight at the deadline is abandoned, but not within its
    /// first second.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets for how long polls may fail in a row before the wait fails. Default: 5 minutes. The
    /// wait never fails before the third failure in a row, however long the polls take.
    ///
    /// It applies to failures that may be temporary: no connection, a time-out, a broken connection,
    /// 408, 425, 429, 5xx, a body that is not JSON and, if the client has a provider of API keys, 401.
    /// Any other failure ends the wait at once.
    #[must_use]
    pub fn error_timeout(mut self, error_timeout: Duration) -> Self {
        self.error_timeout = error_timeout;
        self
    }

    /// Sets for how long after the start of the work a 404 is tolerated, since the service may not
    /// know the work yet. Default: 30 s.
    #[must_use]
    pub fn not_found_grace(mut self, grace: Duration) -> Self {
        self.not_found_grace = grace;
        self
    }

    /// Sets for how long a 404 is tolerated if it is not known when the work was started, such as
    /// for a run that was resumed by its job name. The time counts from the start of the wait.
    /// Default: 0, so that a wrong name fails at once.
    #[must_use]
    pub fn not_found_grace_of_unknown_age(mut self, grace: Duration) -> Self {
        self.not_found_grace_of_unknown_age = grace;
        self
    }

    /// Sets for how long a wait tries to confirm a pass by the route that takes a test run id.
    /// Default: 2 minutes.
    #[must_use]
    pub fn confirmation_timeout(mut self, timeout: Duration) -> Self {
        self.confirmation_timeout = timeout;
        self
    }

    /// Sets for how long a wait tries to fetch the reason of a failure by that route. Default: 5 s.
    #[must_use]
    pub fn failure_reason_timeout(mut self, timeout: Duration) -> Self {
        self.failure_reason_timeout = timeout;
        self
    }

    /// Returns the policy as a client applies it. `may_poll_fast` allows intervals below one second;
    /// without `is_key_fixed`, 401 counts as a poll failure and does not end the wait at once.
    pub(crate) fn for_client(self, may_poll_fast: bool, is_key_fixed: bool) -> Self {
        Self {
            min_interval: match may_poll_fast {
                true => Duration::ZERO,
                false => MIN_INTERVAL,
            },
            tolerates_unauthorized: !is_key_fixed,
            ..self
        }
    }

    /// Returns whether the error may be temporary, and may affect other work too.
    pub(super) fn is_outage(&self, error: &Error) -> bool {
        error.is_transient() || (self.tolerates_unauthorized && error.is_unauthorized())
    }
}
