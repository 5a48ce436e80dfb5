use std::fmt;

use checksum_contract::Drift;
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::output::one_line;

/// What the command says of the answers that it has compared with the document.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriftReport {
    /// Deviations from what is documented.
    drifts: Vec<Drift>,
    /// Deviations from what is mentioned or observed.
    notes: Vec<Drift>,
    reads: Vec<Read>,
    /// What the command ends with.
    exit_code: u8,
}

/// What became of one operation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Read {
    pub(crate) operation: &'static str,
    pub(crate) outcome: ReadOutcome,
    /// Why it was not compared; null where it was.
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReadOutcome {
    /// Answered, and compared.
    Compared,
    /// Not asked for, or not known to the service.
    Skipped,
    /// No usable answer came.
    Failed,
    /// The service does not accept the key, or not for this.
    Refused,
}

impl DriftReport {
    pub(crate) fn push(&mut self, read: Read, drifts: Vec<Drift>) {
        self.reads.push(read);
        let (drifts, notes): (Vec<_>, Vec<_>) = drifts.into_iter().partition(Drift::is_failure);
        self.drifts.extend(drifts);
        self.notes.extend(notes);
    }

    pub(crate) fn has_drift(&self) -> bool {
        !self.drifts.is_empty()
    }

    pub(crate) fn reads(&self) -> &[Read] {
        &self.reads
    }

    pub(crate) fn ends_with(&mut self, exit_code: ExitCode) {
        self.exit_code = exit_code as u8;
    }
}

impl fmt::Display for DriftReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |drifts: &'_ [Drift], read: &Read| -> Vec<String> {
            let own = drifts.iter().filter(|d| d.operation == read.operation);
            own.map(|drift| one_line(&drift.to_string())).collect()
        };
        for read in &self.reads {
            let (drifts, notes) = (of(&self.drifts, read), of(&self.notes, read));
            write!(formatter, "{}: ", read.operation)?;
            match &read.reason {
                Some(reason) => writeln!(formatter, "{}, {reason}", read.outcome)?,
                None => writeln!(formatter, "{}", tally(drifts.len(), notes.len()))?,
            }
            for drift in drifts {
                writeln!(formatter, "  drift  {drift}")?;
            }
            for note in notes {
                writeln!(formatter, "  note   {note}")?;
            }
        }
        let compared = self.reads.iter();
        let compared = compared.filter(|read| read.outcome == ReadOutcome::Compared);
        let tally = tally(self.drifts.len(), self.notes.len());
        match compared.count() {
            1 => write!(formatter, "{tally}; 1 answer compared"),
            count => write!(formatter, "{tally}; {count} answers compared"),
        }
    }
}

impl fmt::Display for ReadOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Compared => "compared",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Refused => "refused",
        })
    }
}

fn tally(drifts: usize, notes: usize) -> String {
    let some = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts: Vec<String> = [some(drifts, "drift"), some(notes, "note")]
        .into_iter()
        .flatten()
        .collect();
    match parts.is_empty() {
        true => "no drift".to_owned(),
        false => parts.join(", "),
    }
}
