use super::follow::{conclude, follow};
use crate::arguments::Wait;
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, arguments.waiting.policy())?;
    let run = checksum.resume(arguments.job.clone());
    let work = async {
        let mut display = Display::new(quiet, output.is_human());
        let report = follow(&run, &mut display, output).await?;
        Ok(conclude(
            &report,
            arguments.waiting.strict,
            &display,
            output,
        ))
    };
    let ended = unless_interrupted(work).await;
    ended.unwrap_or_else(|signal| {
        Err(Failure::InterruptedWait {
            signal,
            job_name: arguments.job,
        })
    })
}
