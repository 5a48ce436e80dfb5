//! Where a downloaded file is written: a file, a pipe or a device.

use std::env;
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

/// Enough for every chain of links that a system follows.
const MAX_LINKS: usize = 40;

/// The path of a file, and who chose it.
#[derive(Clone)]
pub(crate) enum Place {
    /// The caller chose the path. A link is followed, as a shell's redirection does.
    Named(PathBuf),
    /// The caller chose the directory, and the service the name of the file. Whatever exists there
    /// must be a regular file, because a link that somebody else created could lead anywhere.
    Inside(PathBuf),
}

/// A checked place, and the file that the bytes are written to until all have arrived.
pub(super) struct Destination {
    place: Place,
    kind: Kind,
}

enum Kind {
    /// A file. The temporary file in the same directory is renamed to its path.
    File { path: PathBuf, temporary: Temporary },
    /// A pipe or device. It is written when all bytes have arrived, because written bytes cannot be
    /// taken back if the transfer has to restart.
    Stream {
        is_pipe: bool,
        _temporary: Option<Temporary>,
    },
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Inside(path) => path,
        }
    }

    /// Opens the file that the bytes are written to, and creates missing directories.
    pub(super) async fn open(&self) -> io::Result<(Destination, File)> {
        let path = match self {
            Self::Inside(path) => {
                require_file(path).await?;
                path.clone()
            }
            Self::Named(path) => {
                if let Some(is_pipe) = is_stream(path).await? {
                    // Private, since the folder is everybody's.
                    let (file, temporary) = Temporary::create(&env::temp_dir(), 0o600)?;
                    // An open file needs no name on Unix, and without one it does not outlast a process that
                    // is killed.
                    let _temporary = (!cfg!(unix)).then_some(temporary);
                    let destination = Destination {
                        place: self.clone(),
                        kind: Kind::Stream {
                            is_pipe,
                            _temporary,
                        },
                    };
                    return Ok((destination, File::from_std(file)));
                }
                end_of_links(path).await?
            }
        };
        let (file, temporary) = temporary_beside(&path).await?;
        let destination = Destination {
            place: self.clone(),
            kind: Kind::File { path, temporary },
        };
        Ok((destination, File::from_std(file)))
    }
}

impl Destination {
    /// Moves the bytes to their place.
    pub(super) async fn fill(self, mut file: File) -> io::Result<()> {
        file.flush().await?;
        match self.kind {
            Kind::File { path, temporary } => {
                // Closed first: Windows does not rename a file that is open.
                drop(file.into_std().await);
                if let Place::Inside(path) = &self.place {
                    require_file(path).await?;
                }
                fs::rename(&temporary.0, path).await
            }
            Kind::Stream { is_pipe, .. } => {
                file.rewind().await?;
                write_to(self.place.path(), is_pipe, &mut file).await
            }
        }
    }
}

async fn write_to(path: &Path, is_pipe: bool, file: &mut File) -> io::Result<()> {
    #[cfg(unix)]
    if is_pipe {
        let mut pipe = open_pipe(path).await?;
        tokio::io::copy(file, &mut pipe).await?;
        return pipe.shutdown().await;
    }
    #[cfg(not(unix))]
    let _ = is_pipe;
    let mut options = fs::OpenOptions::new();
    let mut device = options.write(true).truncate(true).open(path).await?;
    tokio::io::copy(file, &mut device).await?;
    device.flush().await
}

/// Opens a pipe as soon as somebody reads from it. A blocking open would ignore signals until then.
#[cfg(unix)]
async fn open_pipe(path: &Path) -> io::Result<tokio::net::unix::pipe::Sender> {
    use std::time::Duration;

    use tokio::net::unix::pipe::OpenOptions;

    /// "No such device or address": the error of Unix if nobody reads.
    const ENXIO: i32 = 6;

    loop {
        match OpenOptions::new().open_sender(path) {
            Err(error) if error.raw_os_error() == Some(ENXIO) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => return opened,
        }
    }
}

/// Returns whether a path, after its links, is a pipe (`true`) or a device (`false`); `None` if it
/// is neither.
async fn is_stream(path: &Path) -> io::Result<Option<bool>> {
    let Some(metadata) = found(fs::metadata(path).await)? else {
        return Ok(None);
    };
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let is_pipe = is_pipe(metadata.file_type());
    let is_stream = !metadata.is_file() || is_descriptor(path).await?;
    Ok(is_stream.then_some(is_pipe))
}

#[cfg(unix)]
fn is_pipe(file_type: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&file_type)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

/// Returns whether a path leads through the open files of a process, such as `/dev/stdout`. Such a
/// file must not be replaced by another.
async fn is_descriptor(path: &Path) -> io::Result<bool> {
    if !cfg!(unix) {
        return Ok(false);
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return Ok(true);
        }
        match target(&path).await? {
            Some(next) => path = next,
            None => break,
        }
    }
    Ok(false)
}

/// Returns the path at the end of all links, whether or not it exists.
async fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match target(&path).await? {
            Some(next) => path = next,
            None => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Returns the target of a link; `None` if the path is not a link.
async fn target(path: &Path) -> io::Result<Option<PathBuf>> {
    match found(fs::symlink_metadata(path).await)? {
        Some(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(path).await?;
            Ok(Some(match path.parent() {
                Some(parent) => parent.join(target),
                None => target,
            }))
        }
        _ => Ok(None),
    }
}

/// Fails if the path exists and is not a regular file.
async fn require_file(path: &Path) -> io::Result<()> {
    let reason = match found(fs::symlink_metadata(path).await)? {
        None => return Ok(()),
        Some(metadata) if metadata.is_file() => return Ok(()),
        Some(metadata) if metadata.is_symlink() => {
            "a symbolic link has its name, and is not followed out of the folder; remove it first"
        }
        Some(_) => "something that is no file has its name; remove it first",
    };
    Err(io::Error::new(io::ErrorKind::AlreadyExists, reason))
}

fn found(metadata: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    match metadata {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a temporary file in the same directory, so that it can be renamed in one step.
async fn temporary_beside(path: &Path) -> io::Result<(std::fs::File, Temporary)> {
    if path.file_name().is_none() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path names no file",
        ));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).await?;
    Temporary::create(directory, 0o666)
}

/// How many names are tried for a temporary file.
const MAX_NAMES: usize = 100;

/// A file that is removed with this value, unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// Creates it with this mode of Unix, less the umask.
    fn create(directory: &Path, mode: u32) -> io::Result<(std::fs::File, Self)> {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let mut created = Err(io::ErrorKind::AlreadyExists.into());
        // The program may have seeded the generator as an earlier one, which left a file.
        for _ in 0..MAX_NAMES {
            let path = directory.join(format!(".checksum-{:016x}.part", fastrand::u64(..)));
            created = options.open(&path).map(|file| (file, Self(path)));
            if !matches!(&created, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        created
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
