use checksum_api_ext::PollPolicy;

use crate::arguments::Status;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::{Message, Verdict};
use crate::output::Output;

pub(super) async fn execute(arguments: Status, output: &mut Output) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let status = checksum.resume(arguments.job.clone()).status().await?;
    let (verdict, exit_code) = Verdict::new(&arguments.job, &status, false);
    output.result(&verdict, &Message::Run(&verdict));
    Ok(exit_code)
}
