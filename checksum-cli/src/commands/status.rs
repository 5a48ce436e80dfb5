//! `checksum status`: polls a run once.

use checksum_api_ext::{PollPolicy, RunHandle};

use crate::args::Status;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::wait::work::print_run;

pub(super) async fn execute(
    arguments: Status,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let Some(handle) = RunHandle::known_by(arguments.run.job, arguments.run.test_run) else {
        unreachable!("clap requires one of the arguments")
    };
    let policy = PollPolicy::default();
    let checksum = client::waiting_client(&arguments.connection, policy, arguments.allow_no_tests)?;
    let status = checksum.resume_run(handle.clone()).status().await?;
    let reporter = Reporter::new(quiet, output.is_text());
    let job_name = handle.job_name();
    Ok(print_run(
        job_name,
        &status,
        arguments.strict,
        &reporter,
        output,
    ))
}
