//! `checksum man`: prints a manual page.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::Arguments;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stdout::Output;

pub(super) fn execute(words: &[String], output: &mut Output) -> Result<ExitCode, CliError> {
    let mut command = Arguments::command();
    command.build();
    for word in words {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| CliError::NoSuchCommand(words.join(" ")))?;
    }
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = Man::new(command).render(&mut page);
    output.page(&String::from_utf8_lossy(&page).trim_end());
    Ok(ExitCode::Pass)
}
