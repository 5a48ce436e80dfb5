//! `--from FILE`: a list of runs and batches to wait for.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use checksum_api_ext::{Handle, JobName};
use serde_json::Value;

use crate::error::CliError;
use crate::wait::handle_file::Content;

/// Larger than any list.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The prefixes of keys; `Handle` reads what follows.
const KEYS: [&str; 4] = ["run:", "test-run:", "heal-batch:", "generation-batch:"];

/// Returns the work that the file names; `-` is standard input. A line is the name of a run, a key
/// such as `heal-batch:ID`, what `--handle-file` has written, or a line of `--output json` or
/// `ndjson`. Blank lines and lines that begin with `#` are ignored.
///
/// # Errors
///
/// If the file cannot be read, names nothing, or has a line that is none of these.
pub(crate) fn read(path: &Path) -> Result<Vec<Handle>, CliError> {
    let text = read_text(path).map_err(|error| CliError::From {
        path: path.to_owned(),
        error,
    })?;
    let mut handles = Vec::new();
    let mut is_empty = true;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        is_empty = false;
        let source_name = format!("--from {}, line {}", path.display(), index + 1);
        match parse(line) {
            None => return Err(CliError::FromLine { source_name }),
            Some(content) => handles.extend(content.handle(source_name)?),
        }
    }
    match is_empty {
        true => Err(CliError::From {
            path: path.to_owned(),
            error: invalid("it names no run and no batch"),
        }),
        false => Ok(handles),
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

/// Returns what a line names, or `None` if it cannot be read.
fn parse(line: &str) -> Option<Content> {
    if line.starts_with('{') {
        return parse_json(line);
    }
    if line.contains(|c: char| c.is_whitespace() || "{}[]\"".contains(c)) {
        return None;
    }
    let handle = match KEYS.iter().any(|key| line.starts_with(key)) {
        true => line.parse().ok()?,
        false => line.parse::<JobName>().ok()?.into(),
    };
    Some(Content::Handle(handle))
}

fn parse_json(line: &str) -> Option<Content> {
    let json: Value = serde_json::from_str(line).ok()?;
    let is_event = json.get("version").is_some() && json.get("type").is_some();
    let content = match json.get("handle") {
        None | Some(Value::Null) if is_event => return Some(Content::Nothing {}),
        Some(handle) if is_event => handle.clone(),
        _ => json,
    };
    serde_json::from_value(content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keys_and_json_lines_are_read() {
        for (line, key) in [
            ("job-1", "run:job-1"),
            ("run:job-1", "run:job-1"),
            ("heal-batch:b-1", "heal-batch:b-1"),
            ("test-run:t-1", "test-run:t-1"),
            (r#"{"run":{"jobName":"job-1"}}"#, "run:job-1"),
            (
                r#"{"version":1,"type":"run-started","handle":{"run":{"jobName":"job-1"}}}"#,
                "run:job-1",
            ),
        ] {
            match parse(line) {
                Some(Content::Handle(handle)) => assert_eq!(handle.to_string(), key),
                other => panic!("{line}: {other:?}"),
            }
        }
        for line in [
            r#"{"nothing":{}}"#,
            r#"{"version":1,"type":"run-changed","state":"queued","counts":null}"#,
            r#"{"version":1,"type":"error","handle":null}"#,
        ] {
            assert!(matches!(parse(line), Some(Content::Nothing {})), "{line}");
        }
        for line in [
            "two words",
            "{",
            "{}",
            "[]",
            "heal-batch:",
            "..",
            "heal-batch:..",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
