use checksum_api_ext::{PollPolicy, RunHandle};

use crate::args::Status;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Message, RunResult};
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;

pub(super) async fn execute(arguments: Status, output: &mut Output) -> Result<ExitCode, CliError> {
    let Some(handle) = RunHandle::known_by(arguments.run.job, arguments.run.test_run) else {
        unreachable!("the arguments are a group of which one is needed")
    };
    let builder = client::builder(&arguments.connection, PollPolicy::default())?;
    let checksum = match arguments.allow_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let status = checksum.resume_run(handle.clone()).status().await?;
    let (verdict, exit_code) = RunResult::new(handle.job_name(), &status, arguments.strict);
    for remark in verdict.remarks() {
        eprint_line(&format!("note: {remark}"));
    }
    output.result(&verdict, &Message::Run(&verdict));
    Ok(exit_code)
}
