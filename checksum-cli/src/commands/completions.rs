//! `checksum completions`: prints a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;

pub(super) fn execute(shell: Shell, output: &mut Output) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "checksum", &mut script);
    output.page(&String::from_utf8_lossy(&script).trim_end());
    ExitCode::Pass
}
