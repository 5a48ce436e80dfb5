//! The result of each request, as text and as an exit code.

use std::fmt;

use checksum_api::OperationId;

use super::compare::{Drift, Drifts};

/// The result of each request, in the order in which the requests were sent.
#[derive(Default)]
pub(super) struct Report(Vec<(OperationId, Outcome)>);

/// The result of one request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The response was compared.
    Compared(Drifts),
    /// The request was not sent, for this reason.
    Skipped(&'static str),
    /// There is no response to compare, for this reason. The number is the exit code if nothing
    /// else goes wrong.
    NotCompared(u8, String),
}

/// The service does not know the id in the request, or does not have the operation.
pub(super) const NOT_FOUND: u8 = 0;

const DRIFT: u8 = 1;

/// The service does not accept the request.
pub(super) const REJECTED: u8 = 2;

/// The service does not accept the key. No other request is sent.
pub(super) const UNAUTHORIZED: u8 = 4;

/// The service or the network failed.
pub(super) const FAILED: u8 = 5;

impl Report {
    pub(super) fn add(&mut self, id: OperationId, outcome: Outcome) {
        self.0.push((id, outcome));
    }

    /// Returns whether there is a request without a response to compare, for which the exit code
    /// is this one.
    pub(super) fn has(&self, exit_code: u8) -> bool {
        let mut outcomes = self.0.iter().map(|(_, outcome)| outcome);
        outcomes.any(|outcome| outcome.failed_with(exit_code))
    }

    /// Returns the exit code. Each of `named` lists the operations that read what an option names:
    /// if the service does not know it by any of them, the option is wrong.
    pub(super) fn exit_code(&self, named: &[&[OperationId]]) -> u8 {
        let is_unknown = |id: &OperationId| {
            let mut reads = self.0.iter();
            reads.any(|(read, outcome)| read == id && outcome.failed_with(NOT_FOUND))
        };
        if self.has(UNAUTHORIZED) {
            UNAUTHORIZED
        } else if self.drifts().any(|(drift, _)| drift.is_failure()) {
            DRIFT
        } else if self.has(FAILED) {
            FAILED
        } else if self.has(REJECTED)
            || self.compared().count() == 0
            || named.iter().any(|ids| ids.iter().all(is_unknown))
        {
            REJECTED
        } else {
            0
        }
    }

    fn compared(&self) -> impl Iterator<Item = &Drifts> {
        self.0.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Compared(drifts) => Some(drifts),
            _ => None,
        })
    }

    fn drifts(&self) -> impl Iterator<Item = (&Drift, &usize)> {
        self.compared().flatten()
    }
}

impl Outcome {
    fn failed_with(&self, exit_code: u8) -> bool {
        matches!(self, Self::NotCompared(code, _) if *code == exit_code)
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
        let (tally, compared) = (tally(self.drifts()), self.compared().count());
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
