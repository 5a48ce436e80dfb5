//! The sections of `BENCHMARKS.md`, a file each.

mod attachments;
mod building;
mod calls;
mod command;
mod decoding;
mod mock;
mod policy;
mod reporting;
mod watching;
mod week;

use anyhow::Result;

use super::Bench;

/// The name of a section, and what measures it and returns its figures as Markdown.
type Section = (&'static str, fn(&mut Bench) -> Result<String>);

pub(super) const SECTIONS: [Section; 10] = [
    ("calls", calls::measure),
    ("command", command::measure),
    ("decoding", decoding::measure),
    ("reporting", reporting::measure),
    ("watching", watching::measure),
    ("policy", policy::measure),
    ("building", building::measure),
    ("attachments", attachments::measure),
    ("mock", mock::measure),
    ("week", week::measure),
];
