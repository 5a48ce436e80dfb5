//! What became of each request, as text and as an exit code.

use std::fmt;

use checksum_api::OperationId;

use super::compare::{Drift, Drifts};

/// What became of each request, in the order in which they were sent.
#[derive(Default)]
pub(super) struct Report(Vec<(OperationId, Outcome)>);

/// What became of one request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The response was compared.
    Compared(Drifts),
    /// The request was not sent, for this reason.
    Skipped(&'static str),
    /// There is no response to compare, for this reason.
    NotCompared(Failure, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The service does not accept the key. No other request is sent.
    Unauthorized,
    /// The service does not know what the request names, or does not have the operation.
    NotFound,
    /// The service does not accept the request.
    Rejected,
    /// The service or the network failed.
    Failed,
}

impl Report {
    pub(super) fn add(&mut self, id: OperationId, outcome: Outcome) {
        self.0.push((id, outcome));
    }

    pub(super) fn has(&self, failure: Failure) -> bool {
        self.0.iter().any(|(_, outcome)| outcome.is(failure))
    }

    /// Returns the exit code. Each of `named` lists the operations that read what an option names:
    /// if the service does not know it by any of them, the option is wrong.
    pub(super) fn exit_code(&self, named: &[&[OperationId]]) -> u8 {
        let is_unknown = |id: &OperationId| {
            let mut reads = self.0.iter();
            reads.any(|(read, outcome)| read == id && outcome.is(Failure::NotFound))
        };
        if self.has(Failure::Unauthorized) {
            4
        } else if self.drifts().any(|(drift, _)| drift.is_failure()) {
            1
        } else if self.has(Failure::Failed) {
            5
        } else if self.has(Failure::Rejected)
            || self.compared() == 0
            || named.iter().any(|ids| ids.iter().all(is_unknown))
        {
            2
        } else {
            0
        }
    }

    fn drifts(&self) -> impl Iterator<Item = (&Drift, &usize)> {
        self.0.iter().flat_map(|(_, outcome)| match outcome {
            Outcome::Compared(drifts) => Some(drifts).into_iter().flatten(),
            _ => None.into_iter().flatten(),
        })
    }

    fn compared(&self) -> usize {
        let is_compared = |outcome: &Outcome| matches!(outcome, Outcome::Compared(_));
        let compared = self.0.iter().filter(|(_, outcome)| is_compared(outcome));
        compared.count()
    }
}

impl Outcome {
    fn is(&self, failure: Failure) -> bool {
        matches!(self, Self::NotCompared(found, _) if *found == failure)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, outcome) in &self.0 {
            match outcome {
                Outcome::Compared(drifts) => {
                    writeln!(formatter, "{id}: {}", tally(drifts))?;
                    for (drift, count) in drifts {
                        let times = match count {
                            1 => String::new(),
                            count => format!(", {count} times"),
                        };
                        writeln!(formatter, "  {drift}{times}")?;
                    }
                }
                Outcome::Skipped(reason) => writeln!(formatter, "{id}: skipped, {reason}")?,
                Outcome::NotCompared(_, reason) => {
                    writeln!(formatter, "{id}: not compared, {reason}")?;
                }
            }
        }
        let (tally, compared) = (tally(self.drifts()), self.compared());
        writeln!(formatter, "{tally}; responses compared: {compared}")
    }
}

/// Returns how many drifts and notes there are, in words.
fn tally<'d>(all: impl IntoIterator<Item = (&'d Drift, &'d usize)>) -> String {
    let (drifts, notes): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(drift, _)| drift.is_failure());
    match (drifts.len(), notes.len()) {
        (0, 0) => "no drift".to_owned(),
        (drifts, notes) => format!("drifts: {drifts}, notes: {notes}"),
    }
}
