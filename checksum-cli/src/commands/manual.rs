//! What shells, `man` and programs want to know of this command.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Arguments;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Line;
use crate::output::stdout::Output;

pub(super) fn completions(shell: Shell, output: &mut Output) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "checksum", &mut script);
    output.page(&String::from_utf8_lossy(&script).trim_end());
    ExitCode::Pass
}

pub(super) fn schema(output: &mut Output) -> ExitCode {
    output.page(&format!("{:#}", Line::schema().as_value()));
    ExitCode::Pass
}

/// The page of the command that these words lead to.
pub(super) fn page(words: &[String], output: &mut Output) -> Result<ExitCode, CliError> {
    let mut command = Arguments::command();
    command.build();
    for word in words {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| CliError::NoSuchCommand(words.join(" ")))?;
    }
    let mut page = Vec::new();
    // Written to memory, which does not fail.
    let _ = Man::new(command).render(&mut page);
    output.page(&String::from_utf8_lossy(&page).trim_end());
    Ok(ExitCode::Pass)
}
