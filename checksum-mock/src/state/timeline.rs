//! Phases that follow one another, each for a number of polls or for a time.

use std::time::Duration;

use crate::script::Phase;

#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    phases: Vec<Phase>,
    /// The current phase; the number of phases once all of them are over.
    index: usize,
    entered: Duration,
    polls: u32,
}

impl Timeline {
    pub(crate) fn new(phases: Vec<Phase>, now: Duration) -> Self {
        Self {
            phases,
            index: 0,
            entered: now,
            polls: 0,
        }
    }

    /// Advances to `now`, and returns the index of the phase that this leads to.
    pub(crate) fn advance_to(&mut self, now: Duration) -> usize {
        while let Some(phase) = self.phases.get(self.index) {
            let left = match phase {
                Phase::Polls(polls) if self.polls >= *polls => now,
                Phase::For(duration) if now.saturating_sub(self.entered) >= *duration => {
                    self.entered + *duration
                }
                _ => break,
            };
            self.index += 1;
            self.entered = left;
            self.polls = 0;
        }
        self.index
    }

    /// Advances to `now`, counts a poll, and returns the index of the phase that it sees.
    pub(crate) fn poll(&mut self, now: Duration) -> usize {
        let seen = self.advance_to(now);
        self.polls = self.polls.saturating_add(1);
        seen
    }

    pub(crate) fn phase(&self) -> usize {
        self.index
    }

    /// Returns when time alone will end the current phase.
    pub(crate) fn next_transition(&self) -> Option<Duration> {
        match self.phases.get(self.index)? {
            Phase::For(duration) => self.entered.checked_add(*duration),
            Phase::Polls(_) | Phase::Forever => None,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.index == self.phases.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn polls_end_phases() {
        let phases = vec![Phase::Polls(1), Phase::Polls(0), Phase::Polls(2)];
        let mut timeline = Timeline::new(phases, Duration::ZERO);
        let seen: Vec<_> = (0..5).map(|_| timeline.poll(Duration::ZERO)).collect();
        assert_eq!(seen, [0, 2, 2, 3, 3]);
        assert!(timeline.is_finished());
    }

    #[test]
    fn time_ends_several_phases_at_once() {
        let phases = vec![Phase::For(SECOND), Phase::For(2 * SECOND)];
        let mut timeline = Timeline::new(phases, SECOND);
        assert_eq!(timeline.poll(SECOND), 0);
        assert_eq!(timeline.poll(2 * SECOND), 1);
        assert_eq!(timeline.advance_to(3 * SECOND), 1);
        assert_eq!(timeline.advance_to(4 * SECOND), 2);
    }

    #[test]
    fn a_forever_phase_does_not_end() {
        let mut timeline = Timeline::new(vec![Phase::Forever], Duration::ZERO);
        assert_eq!(timeline.advance_to(Duration::MAX), 0);
    }
}
