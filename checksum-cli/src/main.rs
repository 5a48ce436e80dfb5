//! The `checksum` command: starts test runs in Checksum's cloud, waits, and exits with their
//! verdict. `checksum --help` tells the rest.

mod arguments;
mod commands;
mod credentials;
mod display;
mod exit_code;
mod failure;
mod interruption;
mod json;
mod logging;
mod message;
mod output;
mod redaction;
mod untrusted;
mod way_back;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    redaction::add_key_of_environment();
    let arguments = Arguments::of_process();
    arguments.global.color.write_global();
    let mut output = Output::new(arguments.global.output);
    let ended = match logging::start(arguments.global.verbose) {
        Ok(()) => commands::execute(arguments, &mut output).await,
        Err(failure) => Err(failure),
    };
    let code = ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit_code()
    });
    output.close(code).into()
}
