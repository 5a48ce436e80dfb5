use checksum_api_ext::PollPolicy;

use crate::arguments::Me;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::{Output, one_line};

pub(super) async fn execute(arguments: Me, output: &mut Output) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let project = checksum.project().await?;
    let text = one_line(&format!("{} ({})", project.name, project.id));
    output.result(&text, &Message::Project { project: &project });
    Ok(ExitCode::Pass)
}
