//! A file whose content is replaced completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many links are followed.
const MAX_LINKS: usize = 16;

/// A temporary file that is older was left by a process that was killed.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);

/// The end of the name of a temporary file. It begins with a dot and the name of its target.
const TEMPORARY: &str = ".checksum-tmp";

/// A file that is ready to be written.
pub(crate) enum AtomicFile {
    /// Each write replaces it through a temporary file in the same directory.
    File(PathBuf),
    /// A pipe or device: each write appends.
    Stream(File),
}

impl AtomicFile {
    /// Follows links, and removes temporary files that an earlier process left.
    pub(crate) fn prepare(path: &Path) -> io::Result<Self> {
        if is_open_file(path) {
            let stream = OpenOptions::new().append(true).open(path)?;
            return Ok(Self::Stream(stream));
        }
        let path = resolve(path)?;
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => Ok(Self::Stream(open_stream(&path, &found)?)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                remove_leftovers(&path);
                Ok(Self::File(path))
            }
        }
    }

    /// Returns the path; `None` for a pipe or device.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stream(_) => None,
        }
    }

    pub(crate) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::File(path) => replace(path, text),
            Self::Stream(stream) => {
                stream.write_all(text)?;
                stream.flush()
            }
        }
    }
}

/// Follows links as a shell's redirection does, also to a file that does not exist yet.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            // The target of a link in /proc or /dev/fd may have no path.
            Ok(_) if fs::metadata(&path).is_ok_and(|found| !found.is_file()) => return Ok(path),
            Ok(target) => path = directory(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// Returns whether the path is of a file that this process has open, such as `/dev/stdout`. The
/// shell owns that file, so it must not be replaced.
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

/// Opens a pipe or device. A pipe without a reader is an error; the command does not wait for one.
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
                    format!("the pipe has no reader ({error})"),
                )),
            };
        }
    }
    let _ = found;
    OpenOptions::new().write(true).open(path)
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let directory = directory(path);
    let mut builder = tempfile::Builder::new();
    let prefix = prefix(path);
    builder.prefix(&prefix).suffix(TEMPORARY);
    // A temporary file is private by default; this one gets the permissions of a usual new file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(directory).map_err(without_path)?;
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
    // Makes the rename survive a power failure. Not every system supports it.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// Removes the path of the temporary file from the error: the user does not know that file.
fn without_path(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None if error.kind() == io::ErrorKind::NotFound => {
            io::Error::new(error.kind(), "its directory does not exist")
        }
        None => error.kind().into(),
    }
}

fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

/// Removes the temporary files of processes that were killed. A recent one may belong to a process
/// that is writing the same file now.
fn remove_leftovers(path: &Path) {
    let prefix = prefix(path);
    let is_leftover = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let random = name
            .strip_prefix(&prefix)
            .and_then(|name| name.strip_suffix(TEMPORARY));
        // A temporary file of `run.json.2` is not one of `run.json`.
        let is_own = random.is_some_and(|random| !random.contains('.'));
        let age = entry.metadata().and_then(|found| found.modified());
        let age = age.ok().and_then(|modified| modified.elapsed().ok());
        is_own && age.is_some_and(|age| age > LEFTOVER_AGE)
    };
    let entries = fs::read_dir(directory(path))
        .into_iter()
        .flatten()
        .flatten();
    for entry in entries.filter(is_leftover) {
        let _ = fs::remove_file(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_directory(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("run.json");
        fs::write(&path, text).expect("written");
        (directory, path)
    }

    #[test]
    fn only_old_temporary_files_of_the_same_file_are_removed() {
        let (directory, path) = in_a_directory("job-1");
        let old = std::time::SystemTime::now() - 2 * LEFTOVER_AGE;
        let temporary = |name: &str, is_old: bool| {
            let path = directory.path().join(format!(".{name}.checksum-tmp"));
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
        AtomicFile::prepare(&path).expect("a file");
        assert!(!leftover.exists() && others.iter().all(|other| other.exists()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_without_a_reader_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo runs").success());
        let error = AtomicFile::prepare(&path).err().expect("an error");
        assert!(error.to_string().contains("no reader"), "{error}");
    }

    #[test]
    fn a_directory_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(AtomicFile::prepare(directory.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let (directory, path) = in_a_directory("job-1");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("a mode");
        let link = directory.path().join("link");
        symlink("run.json", &link).expect("a link");
        let dangling = directory.path().join("dangling");
        symlink("new.json", &dangling).expect("a link");
        for link in [&link, &dangling] {
            let mut file = AtomicFile::prepare(link).expect("a file");
            file.write(b"job-2").expect("written");
            assert!(fs::symlink_metadata(link).expect("a link").is_symlink());
        }
        for name in ["run.json", "new.json"] {
            let text = fs::read_to_string(directory.path().join(name)).expect("a file");
            assert!(text.contains("job-2"), "{text}");
        }
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o664);
    }
}
