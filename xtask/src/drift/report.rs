//! What became of each request, as text, as JSON and as an exit code.

use std::fmt;

use checksum_api::OperationId;
use serde_json::{Value, json};

use super::deviation::Drift;

/// What became of each request, in the order in which they were sent.
#[derive(Default)]
pub(super) struct Report {
    reads: Vec<(OperationId, Outcome, Vec<Drift>)>,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The response was compared.
    Compared,
    /// It was not sent.
    Skipped(&'static str),
    /// The service does not know what was asked for, or does not have the operation.
    NotFound,
    /// The service did not accept the key. No other request is sent.
    Unauthorized(u16),
    /// There is no response to compare. It is rejected if the request is at fault.
    Failed { reason: String, is_rejected: bool },
}

impl Report {
    pub(super) fn add(&mut self, id: OperationId, outcome: Outcome, drifts: Vec<Drift>) {
        self.reads.push((id, outcome, drifts));
    }

    /// Notes that a request is not sent. There is no body then.
    pub(super) fn skip(&mut self, id: OperationId, reason: &'static str) -> Option<Value> {
        self.add(id, Outcome::Skipped(reason), Vec::new());
        None
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.any(|outcome| matches!(outcome, Outcome::Unauthorized(_)))
    }

    /// Returns the exit code. `asked_for` are the operations that read what an option names: if the
    /// service knows nothing about it, that is a mistake.
    pub(super) fn exit_code(&self, asked_for: &[&[OperationId]]) -> u8 {
        let is_unknown = |asked: &OperationId| {
            let mut reads = self.reads.iter();
            reads.any(|(id, outcome, _)| id == asked && *outcome == Outcome::NotFound)
        };
        let failed = self.reads.iter().find_map(|(_, outcome, _)| match outcome {
            Outcome::Failed { is_rejected, .. } => Some(if *is_rejected { 2 } else { 5 }),
            _ => None,
        });
        let is_compared = self.any(|outcome| *outcome == Outcome::Compared);
        match failed {
            _ if self.is_unauthorized() => 4,
            _ if self.drifts().any(Drift::is_failure) => 1,
            Some(code) => code,
            None if !is_compared || asked_for.iter().any(|ids| ids.iter().all(is_unknown)) => 2,
            None => 0,
        }
    }

    pub(super) fn to_json(&self, exit_code: u8) -> Value {
        let (drifts, notes): (Vec<&Drift>, Vec<&Drift>) =
            self.drifts().partition(|drift| drift.is_failure());
        let reads = self.reads.iter();
        let reads = reads.map(|(id, outcome, _)| {
            json!({ "operation": id.as_str(), "outcome": outcome.name(), "reason": outcome.reason() })
        });
        let reads: Vec<Value> = reads.collect();
        json!({ "drifts": drifts, "notes": notes, "reads": reads, "exitCode": exit_code })
    }

    fn any(&self, has: impl Fn(&Outcome) -> bool) -> bool {
        self.reads.iter().any(|(_, outcome, _)| has(outcome))
    }

    fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.reads.iter().flat_map(|(_, _, drifts)| drifts)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, outcome, drifts) in &self.reads {
            match outcome.reason() {
                Some(reason) => writeln!(formatter, "{id}: {}, {reason}", outcome.name())?,
                None => writeln!(formatter, "{id}: {}", tally(drifts))?,
            }
            for drift in drifts {
                let sort = if drift.is_failure() { "drift" } else { "note " };
                writeln!(formatter, "  {sort}  {drift}")?;
            }
        }
        let compared = self.reads.iter().filter(|read| read.1 == Outcome::Compared);
        let plural = if compared.clone().count() == 1 {
            ""
        } else {
            "s"
        };
        let all = tally(self.drifts());
        writeln!(
            formatter,
            "{all}; {} response{plural} compared",
            compared.count()
        )
    }
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Compared => "compared",
            Self::Skipped(_) | Self::NotFound => "skipped",
            Self::Unauthorized(_) => "unauthorized",
            Self::Failed { .. } => "failed",
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Compared => None,
            Self::Skipped(reason) => Some((*reason).to_owned()),
            Self::NotFound => Some("the service does not know it (404)".to_owned()),
            Self::Unauthorized(status) => Some(format!("status {status}")),
            Self::Failed { reason, .. } => Some(reason.clone()),
        }
    }
}

/// Returns how many drifts and notes there are, in words.
pub(super) fn tally<'d>(all: impl IntoIterator<Item = &'d Drift>) -> String {
    let (drifts, notes): (Vec<&Drift>, Vec<&Drift>) =
        all.into_iter().partition(|drift| drift.is_failure());
    let some = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts = [some(drifts.len(), "drift"), some(notes.len(), "note")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "no drift".to_owned(),
        false => parts.join(", "),
    }
}
