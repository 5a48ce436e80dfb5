//! What became of each request, as text, as JSON and as an exit code.

use std::fmt;

use checksum_api::OperationId;
use serde::Serialize;
use serde_json::{Value, json};

use super::deviation::Drift;

/// What became of each request, in the order in which they were sent.
#[derive(Default)]
pub(super) struct Report {
    reads: Vec<Read>,
}

#[derive(Serialize)]
struct Read {
    operation: &'static str,
    outcome: Outcome,
    /// Why the response was not compared.
    reason: Option<String>,
    #[serde(skip)]
    drifts: Vec<Drift>,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// The response was compared.
    Compared,
    /// It was not sent.
    Skipped,
    /// The service does not know what was asked for, or does not have the operation.
    NotFound,
    /// The service did not accept the key. No other request is sent.
    Unauthorized,
    /// The service did not accept the request.
    Rejected,
    /// The service or the network failed.
    Failed,
}

impl Report {
    /// Adds a response that was compared.
    pub(super) fn compared(&mut self, id: OperationId, drifts: Vec<Drift>) {
        self.push(id, Outcome::Compared, None, drifts);
    }

    /// Adds a request without a response to compare.
    pub(super) fn add(&mut self, id: OperationId, outcome: Outcome, reason: impl Into<String>) {
        self.push(id, outcome, Some(reason.into()), Vec::new());
    }

    pub(super) fn has(&self, outcome: Outcome) -> bool {
        self.reads.iter().any(|read| read.outcome == outcome)
    }

    /// Returns the exit code. `asked_for` are the operations that read what an option names: if the
    /// service does not know it by any of them, that is a mistake.
    pub(super) fn exit_code(&self, asked_for: &[&[OperationId]]) -> u8 {
        let is_unknown = |id: &OperationId| {
            let is_it = |read: &Read| read.operation == id.as_str();
            let mut reads = self.reads.iter().filter(|read| is_it(read));
            reads.any(|read| read.outcome == Outcome::NotFound)
        };
        if self.has(Outcome::Unauthorized) {
            4
        } else if self.drifts().any(Drift::is_failure) {
            1
        } else if self.has(Outcome::Failed) {
            5
        } else if self.has(Outcome::Rejected)
            || !self.has(Outcome::Compared)
            || asked_for.iter().any(|ids| ids.iter().all(is_unknown))
        {
            2
        } else {
            0
        }
    }

    pub(super) fn to_json(&self, exit_code: u8) -> Value {
        let (drifts, notes): (Vec<&Drift>, Vec<&Drift>) =
            self.drifts().partition(|drift| drift.is_failure());
        json!({ "drifts": drifts, "notes": notes, "reads": self.reads, "exitCode": exit_code })
    }

    fn push(
        &mut self,
        id: OperationId,
        outcome: Outcome,
        reason: Option<String>,
        drifts: Vec<Drift>,
    ) {
        self.reads.push(Read {
            operation: id.as_str(),
            outcome,
            reason,
            drifts,
        });
    }

    fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.reads.iter().flat_map(|read| &read.drifts)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for read in &self.reads {
            let operation = read.operation;
            match (&read.reason, read.outcome) {
                (None, _) => writeln!(formatter, "{operation}: {}", tally(&read.drifts))?,
                (Some(reason), Outcome::Skipped) => {
                    writeln!(formatter, "{operation}: skipped, {reason}")?;
                }
                (Some(reason), _) => writeln!(formatter, "{operation}: not compared, {reason}")?,
            }
            for drift in &read.drifts {
                writeln!(formatter, "  {}  {drift}", drift.sort())?;
            }
        }
        let compared = self.reads.iter();
        let compared = compared.filter(|read| read.outcome == Outcome::Compared);
        let compared = compared.count();
        writeln!(
            formatter,
            "{}; responses compared: {compared}",
            tally(self.drifts())
        )
    }
}

/// Returns how many drifts and notes there are, in words.
pub(super) fn tally<'d>(all: impl IntoIterator<Item = &'d Drift>) -> String {
    let (drifts, notes): (Vec<&Drift>, Vec<&Drift>) =
        all.into_iter().partition(|drift| drift.is_failure());
    match (drifts.len(), notes.len()) {
        (0, 0) => "no drift".to_owned(),
        (drifts, notes) => format!("drifts: {drifts}, notes: {notes}"),
    }
}
