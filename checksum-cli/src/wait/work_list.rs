//! `--from FILE`: a list of runs and batches to wait for.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use checksum_api_ext::{Handle, JobName, RunHandle};
use serde_json::Value;

use crate::error::CliError;
use crate::wait::handle_file::Content;

/// Larger than any list.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The prefixes of keys; `Handle` reads what follows.
const KEYS: [&str; 4] = ["run:", "test-run:", "heal-batch:", "generation-batch:"];

/// Returns the work that the file names, and an error for each start that has no name: one that may
/// have happened, or did not. `-` is standard input. A line is the name of a run, a key
/// such as `heal-batch:ID`, what `--handle-file` has written, or a line of `--output json` or
/// `ndjson`. Blank lines and lines that begin with `#` are ignored.
///
/// # Errors
///
/// If the file cannot be read, names nothing, or has a line that is none of these. Also if a line
/// says that a command failed before it knew the work: without it, a list could pass.
pub(crate) fn read(path: &Path) -> Result<(Vec<Handle>, Vec<CliError>), CliError> {
    let text = read_text(path).map_err(|error| CliError::From {
        path: path.to_owned(),
        error,
    })?;
    let (mut handles, mut unnamed) = (Vec::new(), Vec::new());
    let mut names_something = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let source_name = format!("--from {}, line {}", path.display(), index + 1);
        let Some(contents) = parse(line, &handles) else {
            return Err(CliError::FromLine { source_name });
        };
        for content in contents {
            names_something = true;
            match content.handle(source_name.clone()) {
                Ok(handle) => handles.extend(handle),
                Err(error) => unnamed.push(error),
            }
        }
    }
    match names_something {
        true => Ok((handles, unnamed)),
        false => Err(CliError::From {
            path: path.to_owned(),
            error: invalid("it names no run and no batch"),
        }),
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let file: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path)?),
    };
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MAX_BYTES {
        true => Err(invalid("it is larger than 64 MiB")),
        false => Ok(text),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Returns what a line names, or `None` if it cannot be read. `known` is what lines above it name.
fn parse(line: &str, known: &[Handle]) -> Option<Vec<Content>> {
    if line.starts_with('{') {
        let json: Value = serde_json::from_str(line).ok()?;
        return match json.get("version").and(json.get("type")) {
            None => Some(vec![serde_json::from_value(json).ok()?]),
            Some(kind) => parse_message(kind.as_str()?, &json, known),
        };
    }
    if line.contains(|c: char| c.is_whitespace() || "{}[]\"".contains(c)) {
        return None;
    }
    let handle = match KEYS.iter().any(|key| line.starts_with(key)) {
        true => line.parse().ok()?,
        false => line.parse::<JobName>().ok()?.into(),
    };
    Some(vec![Content::Handle(handle)])
}

/// Returns what a line of `--output json` or `ndjson` names; nothing for an event of work that
/// another line names.
fn parse_message(kind: &str, json: &Value, known: &[Handle]) -> Option<Vec<Content>> {
    let field = |name: &str| json.get(name).filter(|value| !value.is_null());
    let text = |name: &str| field(name).and_then(Value::as_str);
    if let Some(handle) = field("handle") {
        return Some(vec![serde_json::from_value(handle.clone()).ok()?]);
    }
    if let Some(key) = text("key") {
        return Some(vec![Content::Handle(key.parse().ok()?)]);
    }
    match kind {
        "nothing-to-run" => Some(vec![Content::Nothing {}]),
        "runs" => {
            // Starts without a name must not be lost.
            if field("unnamed").is_some_and(|unnamed| *unnamed != Value::Array(Vec::new())) {
                return None;
            }
            let runs = field("runs")?.as_array()?.iter();
            let contents = runs.map(|run| serde_json::from_value(run.get("handle")?.clone()).ok());
            contents.collect()
        }
        "run" => {
            let job_name = text("jobName").map(str::parse).transpose().ok()?;
            let test_run_id = text("testRunId").map(str::parse).transpose().ok()?;
            let handle = RunHandle::known_by(job_name, test_run_id)?;
            Some(vec![Content::Handle(handle.into())])
        }
        // It does not say of which kind the batch is.
        "batch" => {
            let id = text("batchId")?;
            let is_known = known.iter().any(|handle| handle.id() == id);
            is_known.then(Vec::new)
        }
        "run-changed"
        | "batch-changed"
        | "session-changed"
        | "poll-failed"
        | "poll-recovered"
        | "attachment"
        | "attachments-unknown" => Some(Vec::new()),
        // Among them an error without a handle: of a start that may have succeeded.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the key of the handle in each content.
    fn keys(line: &str, known: &[Handle]) -> Option<Vec<String>> {
        let contents = parse(line, known)?.into_iter();
        let key = |content| match content {
            Content::Handle(handle) => handle.to_string(),
            other => format!("{other:?}"),
        };
        Some(contents.map(key).collect())
    }

    #[test]
    fn names_keys_and_json_lines_are_read() {
        let batch = "heal-batch:b-1".parse().expect("a key");
        for (line, expected) in [
            ("job-1", &["run:job-1"][..]),
            ("run:job-1", &["run:job-1"]),
            ("heal-batch:b-1", &["heal-batch:b-1"]),
            ("test-run:t-1", &["test-run:t-1"]),
            (r#"{"run":{"jobName":"job-1"}}"#, &["run:job-1"]),
            (r#"{"nothing":{}}"#, &["Nothing"]),
            (
                r#"{"version":1,"type":"run-started","handle":{"run":{"jobName":"job-1"}}}"#,
                &["run:job-1"],
            ),
            (r#"{"version":1,"type":"nothing-to-run"}"#, &["Nothing"]),
            // The results of commands that have waited, and that may have failed.
            (
                r#"{"version":1,"type":"run","jobName":"job-1","testRunId":"t-1","exitCode":1}"#,
                &["run:job-1"],
            ),
            (
                r#"{"version":1,"type":"run","jobName":null,"testRunId":"t-1","exitCode":1}"#,
                &["test-run:t-1"],
            ),
            (
                r#"{"version":1,"type":"runs","runs":[
                    {"key":"run:job-1","handle":{"run":{"jobName":"job-1"}},"type":"error"},
                    {"key":"run:job-2","handle":{"run":{"jobName":"job-2"}},"type":"run"}]}"#,
                &["run:job-1", "run:job-2"],
            ),
            // A command that waited for several, and was killed.
            (
                r#"{"version":1,"key":"run:job-1","type":"run-changed","state":"queued"}"#,
                &["run:job-1"],
            ),
            (r#"{"version":1,"type":"batch","batchId":"b-1"}"#, &[]),
            (
                r#"{"version":1,"type":"run-changed","state":"queued"}"#,
                &[],
            ),
        ] {
            let known = std::slice::from_ref(&batch);
            let keys = keys(line, known).expect(line);
            assert!(keys.iter().eq(expected), "{line}: {keys:?}");
        }
        for line in [
            "two words",
            "{",
            "{}",
            "[]",
            "heal-batch:",
            "..",
            "heal-batch:..",
            // A list that has one of these must not pass.
            r#"{"version":1,"type":"error","handle":null,"started":"maybe","exitCode":5}"#,
            r#"{"version":1,"type":"run","jobName":null,"testRunId":null,"exitCode":1}"#,
            r#"{"version":1,"type":"batch","batchId":"b-1","exitCode":1}"#,
            r#"{"version":1,"type":"later-version"}"#,
        ] {
            assert!(parse(line, &[]).is_none(), "{line}");
        }
    }
}
