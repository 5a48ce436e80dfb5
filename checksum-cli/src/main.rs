//! The `checksum` command: starts work in Checksum's cloud, waits for it, and reports its result as
//! an exit code.

mod args;
mod artifacts;
mod changed_files;
mod ci;
mod client;
mod commands;
mod error;
mod exit_code;
mod json;
mod logging;
mod not_found;
mod output;
mod redaction;
mod reports;
mod signal;
mod wait;

use std::process::ExitCode;

use crate::args::Arguments;
use crate::output::stdout::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    redaction::reserve(json::is_part_of_a_word);
    redaction::add_key_from_env();
    let arguments = Arguments::from_process();
    arguments.global.color.write_global();
    let id = arguments.command.id();
    let mut output = Output::new(arguments.global.output);
    let result = match logging::start(arguments.global.verbose) {
        Ok(()) => commands::execute(arguments, &mut output).await,
        Err(error) => Err(error),
    };
    let code = result.unwrap_or_else(|error| {
        let code = (&error).into();
        output.error(&error, id.as_deref(), code);
        code
    });
    output.close(code).into()
}
