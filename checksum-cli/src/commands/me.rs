use checksum_api_ext::PollPolicy;

use crate::arguments::Me;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn execute(arguments: Me, output: &mut Output) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let project = checksum.project().await?;
    output.result(&format!("{} ({})", project.name, project.id), &project);
    Ok(ExitCode::Pass)
}
