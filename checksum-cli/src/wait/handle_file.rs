//! How people come back to what goes on in the service.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use checksum_api_ext::JobName;
use checksum_api_ext::{Handle, Intent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::redaction::without_keys;

/// No run-id file is as large as this.
const MAX_BYTES: u64 = 64 * 1024;

/// How many links are followed from a path to the file that it means.
const MAX_LINKS: usize = 16;

/// A temporary file that is older than this is that of a process that was killed.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);

/// What the name of a temporary file ends with. It begins with a dot and the name of its target.
const TEMPORARY: &str = ".checksum-tmp";

/// The file that keeps a handle, and before there is one, what was about to be started: a process
/// that is killed in between must not leave an older handle behind.
pub(crate) struct HandleFile {
    target: Target,
}

enum Target {
    /// It is replaced as a whole, through a temporary file beside it.
    File(PathBuf),
    /// A pipe or device, to which the handle is written once.
    Stream(File),
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Content {
    /// Work that was about to be started, and may have started.
    Intent(Intent),
    /// Work that was certainly not started; null while it is not known yet what there is to start.
    NotStarted(Option<Intent>),
    /// No test was affected, so that there was nothing to start.
    Nothing {},
    /// Work that was started.
    #[serde(untagged)]
    Handle(Handle),
}

impl HandleFile {
    /// Finds out what the path means, and removes what an earlier process has left beside it.
    pub(crate) fn prepare(path: &Path) -> io::Result<Self> {
        if is_open_file(path) {
            let stream = OpenOptions::new().append(true).open(path)?;
            return Ok(Self {
                target: Target::Stream(stream),
            });
        }
        let path = resolve(path)?;
        let target = match fs::metadata(&path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => Target::Stream(open_stream(&path, &found)?),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {
                remove_leftovers(&path);
                Target::File(path)
            }
        };
        Ok(Self { target })
    }

    /// What the file holds now, where that can be read.
    pub(crate) fn held(&self) -> Option<Content> {
        match &self.target {
            Target::File(path) => Self::read(path).ok(),
            Target::Stream(_) => None,
        }
    }

    /// Puts this in the place of what the file held, all of it or nothing. A pipe or device gets
    /// handles alone.
    pub(crate) fn write(&mut self, content: &Content) -> io::Result<()> {
        let mut value = serde_json::to_value(content)?;
        redact_keys(&mut value);
        let text = format!("{value}\n");
        let text = text.as_bytes();
        match (&mut self.target, content) {
            (Target::Stream(stream), Content::Handle(_)) => {
                stream.write_all(text)?;
                stream.flush()
            }
            (Target::Stream(_), _) => Ok(()),
            (Target::File(path), _) => replace(path, text),
        }
    }

    pub(crate) fn read(path: &Path) -> io::Result<Content> {
        let mut text = String::new();
        File::open(path)?
            .take(MAX_BYTES)
            .read_to_string(&mut text)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        if text.is_empty() {
            return Err(invalid("the file is empty".to_owned()));
        }
        if let Ok(content) = serde_json::from_str(text) {
            return Ok(content);
        }
        // A job name that somebody has written into it.
        let is_name = !text.contains(|c: char| c.is_whitespace() || "{}[]\"".contains(c));
        match JobName::new(text) {
            Ok(name) if is_name => Ok(Content::Handle(name.into())),
            _ => Err(invalid(
                "the file is not one that --handle-file has written, nor a job name".to_owned(),
            )),
        }
    }
}

/// A name may hold the value of a variable, and has to stay what it is; a key it may not hold.
fn redact_keys(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_keys(text),
        Value::Object(fields) => fields.values_mut().for_each(redact_keys),
        _ => {}
    }
}

/// The file that a path means: a link is followed, as a shell's redirection does, also where it leads
/// to no file yet.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            // The links of /proc and /dev/fd lead to what is open, and have no name to follow.
            Ok(_) if fs::metadata(&path).is_ok_and(|found| !found.is_file()) => return Ok(path),
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// Whether the path means a file that this process has open, such as `/dev/stdout`: what is behind
/// it belongs to the shell.
fn is_open_file(path: &Path) -> bool {
    let open = [
        "/dev/fd",
        "/dev/stdin",
        "/dev/stdout",
        "/dev/stderr",
        "/proc",
    ];
    open.iter().any(|open| path.starts_with(open))
}

/// Opens a pipe or device. A pipe that nobody reads is an error, and no wait for a reader.
fn open_stream(path: &Path, found: &fs::Metadata) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.file_type().is_fifo() {
            let sender = tokio::net::unix::pipe::OpenOptions::new().open_sender(path);
            return match sender {
                Ok(sender) => Ok(sender.into_blocking_fd()?.into()),
                Err(error) => Err(io::Error::new(
                    error.kind(),
                    format!("nobody reads this pipe ({error})"),
                )),
            };
        }
    }
    let _ = found;
    OpenOptions::new().write(true).open(path)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = folder(path);
    let mut builder = tempfile::Builder::new();
    let prefix = prefix(path);
    builder.prefix(&prefix).suffix(TEMPORARY);
    // Temporary files are their owner's alone; this one is to be a file like any other.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder).map_err(without_path)?;
    if let Ok(existing) = fs::metadata(path) {
        temporary
            .as_file()
            .set_permissions(existing.permissions())?;
    }
    temporary.write_all(text).map_err(without_path)?;
    temporary.as_file().sync_data()?;
    temporary
        .persist(path)
        .map_err(|error| without_path(error.error))?;
    // The rename itself is safe from a power failure when the folder is. Not every system can.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// An error that does not name a temporary file, of which nobody knows.
fn without_path(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}

fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

/// Removes the temporary files of processes that were killed. A new one may be that of a process
/// that is at work with the same file.
fn remove_leftovers(path: &Path) {
    let prefix = prefix(path);
    let is_leftover = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let random = name
            .strip_prefix(&prefix)
            .and_then(|name| name.strip_suffix(TEMPORARY));
        // That of `run.json.2` is none of `run.json`.
        let is_own = random.is_some_and(|random| !random.contains('.'));
        let age = entry.metadata().and_then(|found| found.modified());
        let age = age.ok().and_then(|modified| modified.elapsed().ok());
        is_own && age.is_some_and(|age| age > LEFTOVER_AGE)
    };
    let entries = fs::read_dir(folder(path)).into_iter().flatten().flatten();
    for entry in entries.filter(is_leftover) {
        let _ = fs::remove_file(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_folder(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.json");
        fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn reads_handles_and_bare_names() {
        for text in [
            r#"{"run":{"jobName":"job-1"}}"#,
            "\u{feff}{\"run\":{\"jobName\":\"job-1\"}}\r\n",
            "job-1\n",
        ] {
            let (_folder, path) = in_a_folder(text);
            match HandleFile::read(&path).expect(text) {
                Content::Handle(handle) => assert_eq!(handle.to_string(), "run job-1"),
                other => panic!("{other:?}"),
            }
        }
        for (text, said) in [
            ("", "empty"),
            (" \n", "empty"),
            ("{\"run\":", "not one that --handle-file has written"),
            ("two words", "not one that --handle-file has written"),
            ("[]", "not one that --handle-file has written"),
        ] {
            let (_folder, path) = in_a_folder(text);
            let error = HandleFile::read(&path).expect_err(text).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn leftovers_of_this_file_are_removed_and_no_others() {
        let (folder, path) = in_a_folder("job-1");
        let old = std::time::SystemTime::now() - 2 * LEFTOVER_AGE;
        let temporary = |name: &str, is_old: bool| {
            let path = folder.path().join(format!(".{name}.checksum-tmp"));
            let file = File::create(&path).expect("a file");
            if is_old {
                file.set_modified(old).expect("an age");
            }
            path
        };
        let leftover = temporary("run.json.abc", true);
        let others = [
            temporary("run.json.def", false),
            temporary("other.json.abc", true),
            temporary("run.json.2.abc", true),
        ];
        HandleFile::prepare(&path).expect("a file");
        assert!(!leftover.exists() && others.iter().all(|other| other.exists()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_that_nobody_reads_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo runs").success());
        let error = HandleFile::prepare(&path).err().expect("an error");
        assert!(error.to_string().contains("nobody reads"), "{error}");
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(HandleFile::prepare(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let (folder, path) = in_a_folder("job-1");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("a mode");
        let link = folder.path().join("link");
        symlink("run.json", &link).expect("a link");
        let dangling = folder.path().join("dangling");
        symlink("new.json", &dangling).expect("a link");
        let name: JobName = "job-2".parse().expect("a name");
        for link in [&link, &dangling] {
            let mut file = HandleFile::prepare(link).expect("a file");
            let content = Content::Handle(name.clone().into());
            file.write(&content).expect("written");
            assert!(fs::symlink_metadata(link).expect("a link").is_symlink());
        }
        for name in ["run.json", "new.json"] {
            let text = fs::read_to_string(folder.path().join(name)).expect("a file");
            assert!(text.contains("job-2"), "{text}");
        }
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o664);
    }
}
