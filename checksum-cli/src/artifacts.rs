//! The attachments of tests: what `checksum attachments` and `--artifacts` list and download.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use checksum_api_ext::{
    AttachmentKind, Error, ListAttachments, TestAttachments, TestId, TestResult, TestRun,
    TestRunResults, TestStatus,
};
use futures_util::StreamExt;

use crate::args::ArtifactsDirectory;
use crate::exit_code::ExitCode;
use crate::json::{Artifacts, ListedAttachment, Message, UnlistedTest};
use crate::output::shell_quote::quote;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::signal::until_signal;

/// Returns the id of each test once; with `only_failed`, of those that failed, also because of a bug
/// of the application. A recovered test passed in the end.
pub(crate) fn test_ids(results: &TestRunResults, only_failed: bool) -> Vec<TestId> {
    let is_failure =
        |test: &TestResult| matches!(test.status, TestStatus::Failed | TestStatus::Bug);
    let tests = results.tests().iter();
    let tests = tests.filter(|test| !only_failed || is_failure(test));
    let mut known = HashSet::new();
    let ids = tests.map(|test| &test.checksum_test_id);
    ids.filter(|id| known.insert(*id)).cloned().collect()
}

/// Lists the attachments of each test, and adds them and the results of their downloads to
/// `artifacts`. Returns the exit code of the last failure.
///
/// # Errors
///
/// With `is_one_test`, its attachments could not be listed. Otherwise such a test does not stop the
/// others.
pub(crate) async fn list(
    attachments: ListAttachments,
    is_one_test: bool,
    artifacts: &mut Artifacts,
    reporter: &Reporter,
    output: &mut Output,
) -> Result<ExitCode, Error> {
    let mut exit_code = ExitCode::Pass;
    let mut tests = attachments.on_progress(reporter.download()).into_stream();
    while let Some(test) = tests.next().await {
        let TestAttachments {
            test_id,
            attachments,
            files,
            ..
        } = test;
        let attachments = match attachments {
            Ok(attachments) => attachments,
            Err(error) if is_one_test => return Err(error),
            Err(error) => {
                exit_code = (&error).into();
                let error = error.to_string();
                let unlisted = UnlistedTest { test_id, error };
                reporter.warning(&format!("warning: {unlisted}"));
                output.event(&Message::AttachmentsUnknown(&unlisted));
                artifacts.unknown.push(unlisted);
                continue;
            }
        };
        let mut files = files.into_iter();
        for attachment in &attachments {
            let (path, error) = match files.next() {
                None => (None, None),
                Some(Ok(file)) => (Some(file.path), None),
                Some(Err(error)) => {
                    exit_code = (&error).into();
                    (None, Some(error.to_string()))
                }
            };
            let listed = ListedAttachment {
                test_id: test_id.clone(),
                attachment: attachment.clone(),
                path,
                error,
            };
            output.event(&Message::Attachment(&listed));
            artifacts.attachments.push(listed);
        }
    }
    Ok(exit_code)
}

/// Downloads what `--artifacts` asks for. Returns also whether all of it was downloaded; each
/// failure is printed.
pub(crate) async fn download(
    wanted: &ArtifactsDirectory,
    test_run: Result<TestRun, Error>,
    results: Result<&TestRunResults, &dyn fmt::Display>,
    quiet: bool,
    output: &mut Output,
) -> (Artifacts, bool) {
    let reporter = Reporter::new(quiet, output.is_text());
    let mut artifacts = Artifacts::default();
    let warning = |text: String| reporter.warning(&one_line(&format!("warning: {text}")));
    let attachments = match (test_run, results) {
        (Ok(test_run), Ok(results)) => {
            let tests = test_ids(results, wanted.only_failed);
            test_run.attachments_of(tests).download_to(&wanted.path)
        }
        (Err(error), _) => {
            warning(format!("no artifacts: {error}"));
            return (artifacts, false);
        }
        // The caller has printed why.
        (_, Err(_)) => return (artifacts, false),
    };
    let listing = list(attachments, false, &mut artifacts, &reporter, output);
    let mut is_complete = match until_signal(listing).await {
        Ok(listed) => listed.is_ok_and(|code| code == ExitCode::Pass),
        Err(signal) => {
            warning(format!("the artifacts are incomplete: {signal}"));
            false
        }
    };
    let mut saved = 0;
    for listed in &artifacts.attachments {
        let Some(path) = &listed.path else {
            warning(listed.to_string());
            is_complete = false;
            continue;
        };
        saved += 1;
        if *listed.attachment.kind() == AttachmentKind::Trace {
            reporter.note(&open_trace(path));
        }
    }
    let directory = wanted.path.display();
    reporter.note(&one_line(&match saved {
        1 => format!("1 attachment saved in {directory}"),
        _ => format!("{saved} attachments saved in {directory}"),
    }));
    (artifacts, is_complete)
}

/// Returns the command that shows a trace.
fn open_trace(path: &Path) -> String {
    let path = path.display().to_string();
    // Otherwise it would be an option.
    let path = match path.starts_with('-') {
        true => format!("./{path}"),
        false => path,
    };
    one_line(&format!("npx playwright show-trace {}", quote(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_trace_is_one_word_of_the_command() {
        for (path, command) in [
            ("a/test-1/trace.zip", "a/test-1/trace.zip"),
            ("-a/trace.zip", "./-a/trace.zip"),
            ("my files/$(x)/trace.zip", "'my files/$(x)/trace.zip'"),
            ("it's/trace.zip", r"'it'\''s/trace.zip'"),
        ] {
            let expected = format!("npx playwright show-trace {command}");
            assert_eq!(open_trace(Path::new(path)), expected);
        }
    }
}
