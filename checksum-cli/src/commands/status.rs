use checksum_api_ext::{PollPolicy, RunHandle};

use crate::arguments::Status;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::{Message, Verdict};
use crate::output::{Output, tell};

pub(super) async fn execute(arguments: Status, output: &mut Output) -> Result<ExitCode, Failure> {
    let Some(handle) = RunHandle::known_by(arguments.run.job, arguments.run.test_run) else {
        unreachable!("the arguments are a group of which one is needed")
    };
    let builder = credentials::builder(&arguments.connection, PollPolicy::default())?;
    let checksum = match arguments.allow_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let status = checksum.resume_run(handle.clone()).status().await?;
    let (verdict, exit_code) = Verdict::new(handle.job_name(), &status, arguments.strict);
    for remark in verdict.remarks() {
        tell(&format!("note: {remark}"));
    }
    output.result(&verdict, &Message::Run(&verdict));
    Ok(exit_code)
}
