use std::time::Duration;

/// How long something stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// For that many looks: requests that ask for the status of this run or batch.
    Polls(u32),
    /// For that long on the stand-in's clock.
    For(Duration),
    /// For good.
    Forever,
}

impl From<i32> for Phase {
    /// A number is a number of looks; below zero it counts as zero.
    fn from(polls: i32) -> Self {
        Self::Polls(polls.try_into().unwrap_or(0))
    }
}

impl From<u32> for Phase {
    /// A number is a number of looks.
    fn from(polls: u32) -> Self {
        Self::Polls(polls)
    }
}

impl From<Duration> for Phase {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}

/// Phases that follow one another.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    phases: Vec<Phase>,
    /// The phase that it is in; the number of phases once it is through.
    index: usize,
    entered: Duration,
    looks: u32,
}

impl Progress {
    pub(crate) fn new(phases: Vec<Phase>, now: Duration) -> Self {
        Self {
            phases,
            index: 0,
            entered: now,
            looks: 0,
        }
    }

    /// Lets time pass, and gives the index of the phase that this leads to.
    pub(crate) fn settle(&mut self, now: Duration) -> usize {
        while let Some(phase) = self.phases.get(self.index) {
            let left = match phase {
                Phase::Polls(looks) if self.looks >= *looks => now,
                Phase::For(duration) if now.saturating_sub(self.entered) >= *duration => {
                    self.entered + *duration
                }
                _ => break,
            };
            self.index += 1;
            self.entered = left;
            self.looks = 0;
        }
        self.index
    }

    /// Looks: lets time pass, gives the index of the phase that is seen, and counts the look.
    pub(crate) fn look(&mut self, now: Duration) -> usize {
        let seen = self.settle(now);
        self.looks = self.looks.saturating_add(1);
        seen
    }

    /// When time by itself will end the phase that it is in.
    pub(crate) fn due(&self) -> Option<Duration> {
        match self.phases.get(self.index)? {
            Phase::For(duration) => self.entered.checked_add(*duration),
            Phase::Polls(_) | Phase::Forever => None,
        }
    }

    pub(crate) fn is_through(&self) -> bool {
        self.index == self.phases.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn looks_move_it_on() {
        let phases = vec![Phase::Polls(1), Phase::Polls(0), Phase::Polls(2)];
        let mut progress = Progress::new(phases, Duration::ZERO);
        let seen: Vec<_> = (0..5).map(|_| progress.look(Duration::ZERO)).collect();
        assert_eq!(seen, [0, 2, 2, 3, 3]);
        assert!(progress.is_through());
    }

    #[test]
    fn time_moves_it_on_through_several_phases_at_once() {
        let phases = vec![Phase::For(SECOND), Phase::For(2 * SECOND)];
        let mut progress = Progress::new(phases, SECOND);
        assert_eq!(progress.look(SECOND), 0);
        assert_eq!(progress.look(2 * SECOND), 1);
        assert_eq!(progress.settle(3 * SECOND), 1);
        assert_eq!(progress.settle(4 * SECOND), 2);
    }

    #[test]
    fn for_good_is_for_good() {
        let mut progress = Progress::new(vec![Phase::Forever], Duration::ZERO);
        assert_eq!(progress.settle(Duration::MAX), 0);
    }
}
