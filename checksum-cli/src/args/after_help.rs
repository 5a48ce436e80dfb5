//! The end of each command's help: examples and exit codes.

use crate::exit_code;

/// Returns examples, each of them a command line. A test parses all of them.
pub(super) fn examples(lines: &[&str]) -> String {
    format!("Examples:\n  {}", lines.join("\n  "))
}

/// Returns examples and the table of exit codes.
pub(super) fn with_exit_codes(lines: &[&str]) -> String {
    format!("{}\n\n{}", examples(lines), exit_code::HELP)
}
