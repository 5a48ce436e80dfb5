//! `checksum attachments`: lists the attachments of tests, or downloads them.

use crate::args;
use crate::artifacts::{list, test_ids};
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Artifacts, Message};
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;

pub(super) async fn execute(
    arguments: args::Attachments,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection)?;
    let test_run = checksum.test_run(arguments.test_run);
    let is_one_test = arguments.test.is_some();
    let tests = match arguments.test {
        Some(test) => vec![test],
        None => test_ids(&test_run.results().await?, arguments.failed),
    };
    let mut attachments = test_run.attachments_of(tests);
    if let Some(directory) = arguments.download {
        attachments = attachments.download_to(directory);
    }
    let mut reporter = Reporter::new(quiet, output.is_text());
    let mut artifacts = Artifacts::default();
    let exit_code = list(attachments, is_one_test, &mut artifacts, &reporter, output).await?;
    reporter.finish();
    let lines = artifacts.attachments.iter().map(ToString::to_string);
    let lines: Vec<String> = lines.collect();
    let message = Message::Attachments {
        artifacts: &artifacts,
        exit_code: exit_code as u8,
    };
    output.result(&lines.join("\n"), &message);
    Ok(exit_code)
}
