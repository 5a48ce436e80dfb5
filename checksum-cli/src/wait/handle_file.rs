//! The file that stores a handle or, before the start, a record of what is about to be started. So
//! a command that is killed in between does not leave the handle of an earlier run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use checksum_api_ext::{Handle, Intent, JobName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::CliError;
use crate::redaction::redact_keys;
use crate::wait::atomic_file::AtomicFile;

/// Larger than any handle file.
const MAX_BYTES: u64 = 64 * 1024;

/// The file that `--handle-file` names.
pub(crate) struct HandleFile {
    path: PathBuf,
    file: AtomicFile,
}

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Content {
    /// Work that was about to be started, and may have started.
    Intent(Intent),
    /// Work that was certainly not started; null if it is not known yet what to start.
    NotStarted(Option<Intent>),
    /// No test was affected, so there was nothing to start.
    Nothing {},
    /// Work that was started.
    #[serde(untagged)]
    Handle(Handle),
}

impl Content {
    /// Returns the handle to wait for; `None` if there was nothing to start.
    ///
    /// # Errors
    ///
    /// If the work was not started, or may have been started. `source_name` names the place of the
    /// content.
    pub(crate) fn handle(self, source_name: String) -> Result<Option<Handle>, CliError> {
        match self {
            Self::Handle(handle) => Ok(Some(handle)),
            Self::Nothing {} => Ok(None),
            Self::Intent(intent) => Err(CliError::MayHaveStarted {
                source_name,
                intent,
            }),
            Self::NotStarted(intent) => Err(CliError::NotStarted {
                source_name,
                intent,
            }),
        }
    }
}

impl HandleFile {
    /// Checks that the file can be written, and removes temporary files of earlier commands.
    pub(crate) fn prepare(path: &Path) -> Result<Self, CliError> {
        let file = AtomicFile::prepare(path).map_err(|error| failed(path, error))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Returns what the file contains now, if that can be read.
    pub(crate) fn current(&self) -> Option<Content> {
        read(self.file.path()?).ok()
    }

    /// Replaces the content, completely or not at all. A pipe or device gets only handles.
    pub(crate) fn write(&mut self, content: &Content) -> Result<(), CliError> {
        if self.file.path().is_none() && !matches!(content, Content::Handle(_)) {
            return Ok(());
        }
        let json = serde_json::to_value(content).map_err(io::Error::from);
        let written = json.and_then(|mut json| {
            redact(&mut json);
            self.file.write(format!("{json}\n").as_bytes())
        });
        written.map_err(|error| failed(&self.path, error))
    }

    pub(crate) fn read(path: &Path) -> Result<Content, CliError> {
        read(path).map_err(|error| failed(path, error))
    }
}

fn failed(path: &Path, error: io::Error) -> CliError {
    let path = path.to_owned();
    CliError::HandleFile { path, error }
}

fn read(path: &Path) -> io::Result<Content> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES)
        .read_to_string(&mut text)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message);
    if text.is_empty() {
        return Err(invalid("the file is empty"));
    }
    if let Ok(content) = serde_json::from_str(text) {
        return Ok(content);
    }
    // A job name that somebody wrote into the file.
    let is_name = !text.contains(|c: char| c.is_whitespace() || "{}[]\"".contains(c));
    match JobName::new(text) {
        Ok(name) if is_name => Ok(Content::Handle(name.into())),
        _ => Err(invalid(
            "the file is not one that --handle-file wrote, and not a job name",
        )),
    }
}

/// Redacts API keys. The value of a variable may be part of a name, which must stay complete.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact_keys(text),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_bare_names_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        for text in [
            r#"{"run":{"jobName":"job-1"}}"#,
            "\u{feff}{\"run\":{\"jobName\":\"job-1\"}}\r\n",
            "job-1\n",
        ] {
            let path = directory.path().join("run.json");
            std::fs::write(&path, text).expect("written");
            match read(&path).expect(text) {
                Content::Handle(handle) => assert_eq!(handle.to_string(), "run:job-1"),
                other => panic!("{other:?}"),
            }
        }
        for (text, expected) in [
            ("", "empty"),
            (" \n", "empty"),
            ("{\"run\":", "not one that --handle-file wrote"),
            ("two words", "not one that --handle-file wrote"),
            ("[]", "not one that --handle-file wrote"),
        ] {
            let path = directory.path().join("run.json");
            std::fs::write(&path, text).expect("written");
            let error = read(&path).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
