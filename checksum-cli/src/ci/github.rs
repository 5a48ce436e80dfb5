//! GitHub Actions: annotations, outputs and the summary of the step. None of them needs a token.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use checksum_api_ext::BatchStatus;
use checksum_report::text::{block, line};
use checksum_report::{Report, STEP_SUMMARY_BYTES, Test};
use uuid::Uuid;

use crate::redaction::redact;

/// GitHub shows at most ten errors of a step.
pub(super) const MAX_ANNOTATIONS: usize = 10;

/// How many characters of an error message an annotation has.
const MAX_MESSAGE: usize = 2_000;

/// How many sessions of a batch the summary lists.
const MAX_SESSIONS: usize = 100;

/// The files that the runner reads after the step.
pub(super) struct GitHub {
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
}

impl GitHub {
    pub(super) fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        Self {
            outputs: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
        }
    }

    pub(super) fn without_outputs(mut self) -> Self {
        self.outputs = None;
        self
    }

    pub(super) fn write_outputs(&self, outputs: &[(&str, String)]) -> io::Result<()> {
        let Some(path) = &self.outputs else {
            return Ok(());
        };
        let outputs = outputs.iter();
        let text: String = outputs
            .map(|(name, value)| output(name, &redact(value), &delimiter()))
            .collect();
        append(path, "\n", &text)
    }

    /// Appends Markdown to the summary. At most half of what GitHub accepts is used: other commands
    /// of the step write to the same file, before and after this one.
    pub(super) fn write_summary(&self, markdown: impl Fn(usize) -> String) -> io::Result<()> {
        let Some(path) = &self.summary else {
            return Ok(());
        };
        let used = fs::metadata(path).map_or(0, |found| found.len());
        let used = usize::try_from(used).unwrap_or(usize::MAX);
        let left = (2 * STEP_SUMMARY_BYTES).saturating_sub(used) / 2;
        match markdown(left) {
            text if text.is_empty() || text.len() > left => {
                Err(io::Error::other("it is full already"))
            }
            text => append(path, "\n\n", &text),
        }
    }
}

/// Returns an output in the form that can hold any value. A value that contained its delimiter could
/// set other outputs, so nobody must be able to guess that.
fn output(name: &str, value: &str, delimiter: &str) -> String {
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

fn delimiter() -> String {
    format!("checksum-{}", Uuid::new_v4())
}

/// Appends text to a file, after a separator if the file has text that does not end with it.
fn append(path: &Path, separator: &str, text: &str) -> io::Result<()> {
    // A pipe without a reader would block.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is not a file"));
    }
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let tail = length.min(separator.len() as u64);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length - tail))?;
    Read::take(&file, tail).read_to_end(&mut end)?;
    let separator = match length == 0 || end == separator.as_bytes() {
        true => "",
        false => separator,
    };
    // One write, so that lines of other commands do not get into it.
    file.write_all(format!("{separator}{text}").as_bytes())
}

/// Returns the commands that annotate what failed, and how many failed tests have none.
pub(super) fn annotations(report: &Report, max: usize) -> (Vec<String>, usize) {
    let failed = report.tests.iter().filter(|test| test.status.is_failure());
    let run = report
        .run_error()
        .filter(|_| !report.is_success)
        .map(|error| command(None, "Checksum", &error));
    let commands = run.into_iter().chain(failed.map(of_test));
    let mut commands: Vec<String> = commands.collect();
    let left_out = commands.len().saturating_sub(max);
    commands.truncate(max);
    (commands, left_out)
}

fn of_test(test: &Test) -> String {
    let names = [&test.title, &test.id].map(|name| line(name));
    let name = names.into_iter().find(|name| !name.is_empty());
    let error = test.error.as_deref().unwrap_or_default();
    let message = match test.status.as_str() {
        status if error.trim().is_empty() => status.to_owned(),
        "failed" => error.to_owned(),
        status => format!("{status}: {error}"),
    };
    let file = test.file.as_deref().map(line);
    command(file.as_deref(), &name.unwrap_or_default(), &message)
}

fn command(file: Option<&str>, title: &str, message: &str) -> String {
    let message: String = block(message).chars().take(MAX_MESSAGE).collect();
    let file = file.filter(|file| !file.is_empty());
    let file = file.map(|file| format!("file={},", property(file)));
    let file = file.unwrap_or_default();
    format!(
        "::error {file}title={}::{}",
        property(title),
        data(&message)
    )
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns Markdown that lists the sessions of a batch. Only text that is no markup is shown.
pub(super) fn batch_summary(status: &BatchStatus, is_success: bool) -> String {
    let mark = if is_success { "✅" } else { "❌" };
    let plain = |text: &str| {
        let text = redact(text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/#".contains(c);
        match text.len() < 500 && text.chars().all(is_plain) {
            true => text,
            false => "(not shown)".to_owned(),
        }
    };
    let state = plain(status.state().as_str());
    let mut text = format!(
        "## {mark} Checksum: {} `{state}`\n\n",
        plain(status.id().as_str())
    );
    for session in status.sessions().iter().take(MAX_SESSIONS) {
        let url = session.pr_url.as_deref().unwrap_or_default();
        let (id, state) = (session.session_id.as_str(), session.status.as_str());
        text += &format!("- `{}` {} {}\n", plain(id), plain(state), plain(url));
    }
    let left_out = status.sessions().len().saturating_sub(MAX_SESSIONS);
    if left_out > 0 {
        text += &format!("\n… sessions that are left out: {left_out}\n");
    }
    text
}
