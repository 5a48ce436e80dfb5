//! `checksum status`: polls work once.

use checksum_api_ext::PollPolicy;

use super::wait::handle;
use crate::args::Status;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::wait::plan::nothing_to_run;
use crate::wait::work::Work;

pub(super) async fn execute(
    arguments: Status,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let Some(handle) = handle(arguments.awaited)? else {
        return Ok(nothing_to_run(output));
    };
    let policy = PollPolicy::default();
    let checksum = client::waiting_client(&arguments.connection, policy, arguments.allow_no_tests)?;
    let reporter = Reporter::new(quiet, output.is_text());
    let work = Work::resume(&checksum, handle.clone());
    let polled = work.print_status(arguments.strict, &reporter, output).await;
    polled.map_err(|error| CliError::Wait {
        handle: Box::new(handle),
        error,
    })
}
