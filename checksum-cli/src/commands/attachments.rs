//! `checksum attachments`: lists the attachments of tests, or downloads them.

use std::path::{Path, PathBuf};

use checksum_api_ext::{Attachments, TestId, TestRun, TestStatus};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::args;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{ListedAttachment, Message, UnlistedTest};
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;

/// The characters to escape in the name of a test's directory, so that no two ids share one.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

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
        None => tests(&test_run, arguments.failed).await?,
    };
    let mut reporter = Reporter::new(quiet, output.is_text());
    let mut listed = Vec::new();
    let mut unlisted = Vec::new();
    let mut exit_code = ExitCode::Pass;
    for test in tests {
        let attachments = match test_run.attachments(test.clone()).await {
            Ok(attachments) => attachments,
            Err(error) if is_one_test => return Err(error.into()),
            // Still list the attachments of the other tests.
            Err(error) => {
                exit_code = (&error).into();
                let failed = UnlistedTest {
                    test_id: test,
                    error: error.to_string(),
                };
                reporter.warning(&format!("warning: {failed}"));
                output.event(&Message::AttachmentsUnknown(&failed));
                unlisted.push(failed);
                continue;
            }
        };
        let saved = save(
            &attachments,
            &test,
            arguments.download.as_deref(),
            &reporter,
        )
        .await;
        for (attachment, saved) in attachments.iter().zip(saved) {
            let (path, error) = match saved {
                Ok(path) => (path, None),
                Err((code, error)) => {
                    exit_code = code;
                    (None, Some(error))
                }
            };
            let attachment = ListedAttachment {
                test_id: test.clone(),
                attachment: attachment.clone(),
                path,
                error,
            };
            output.event(&Message::Attachment(&attachment));
            listed.push(attachment);
        }
    }
    reporter.finish();
    let message = Message::Attachments {
        attachments: &listed,
        unknown: &unlisted,
        exit_code: exit_code as u8,
    };
    let lines: Vec<String> = listed.iter().map(ToString::to_string).collect();
    output.result(&lines.join("\n"), &message);
    Ok(exit_code)
}

async fn tests(test_run: &TestRun, only_failed: bool) -> Result<Vec<TestId>, CliError> {
    let results = match only_failed {
        false => test_run.results().await?,
        true => test_run.results_with_status(TestStatus::Failed).await?,
    };
    let tests = results.tests().iter();
    Ok(tests.map(|test| test.checksum_test_id.clone()).collect())
}

/// The path of the file if it was downloaded, or why the download failed.
type Saved = Result<Option<PathBuf>, (ExitCode, String)>;

/// Downloads the attachments of a test if there is a directory, and returns the result of each.
async fn save(
    attachments: &Attachments,
    test: &TestId,
    directory: Option<&Path>,
    reporter: &Reporter,
) -> Vec<Saved> {
    let Some(directory) = directory else {
        return attachments.iter().map(|_| Ok(None)).collect();
    };
    let name = utf8_percent_encode(test.as_str(), ESCAPED).to_string();
    let directory = directory.join(name);
    if directory.is_symlink() {
        let error = format!(
            "cannot write {}: it is a symbolic link, which is not followed out of the download \
             directory; remove it first",
            directory.display()
        );
        let failed = |_| Err((ExitCode::Indeterminate, error.clone()));
        return attachments.iter().map(failed).collect();
    }
    let downloads = attachments.download_all(&directory);
    let saved = downloads.on_progress(reporter.download()).await.into_iter();
    saved
        .map(|saved| match saved {
            Ok(file) => Ok(Some(file.path)),
            Err(error) => Err(((&error).into(), error.to_string())),
        })
        .collect()
}
