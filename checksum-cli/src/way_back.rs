//! How people come back to what goes on in the service.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use checksum_api_ext::Handle;
use tempfile::NamedTempFile;

use crate::json::to_json;

/// What to do to take it up again.
pub(crate) fn hint(handle: &Handle) -> String {
    let name = handle.id();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    let is_plain = name.chars().all(is_plain) && !name.starts_with('-');
    let quoted = if is_plain {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    };
    let arguments = match handle {
        Handle::Run(_) if is_plain => quoted,
        Handle::Run(_) => format!("-- {quoted}"),
        // A value that begins with a hyphen is one only behind the `=`.
        Handle::HealBatch(_) => format!("--heal-batch={quoted}"),
        Handle::GenerationBatch(_) => format!("--generation-batch={quoted}"),
    };
    format!("come back with `checksum wait {arguments}`")
}

/// The file that keeps a handle. It is prepared before anything is started: should it be impossible
/// to write, nothing is lost yet.
pub(crate) struct RunIdFile {
    path: PathBuf,
    prepared: NamedTempFile,
}

impl RunIdFile {
    pub(crate) fn prepare(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        Ok(Self {
            path: path.to_owned(),
            prepared: NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?,
        })
    }

    /// Puts the handle in the place of what the file held, all of it or nothing.
    pub(crate) fn keep(mut self, handle: &Handle) -> io::Result<()> {
        writeln!(self.prepared, "{}", to_json(handle)?)?;
        self.prepared.as_file().sync_all()?;
        self.prepared.persist(&self.path)?;
        Ok(())
    }

    pub(crate) fn read(path: &Path) -> io::Result<Handle> {
        Ok(serde_json::from_reader(File::open(path)?)?)
    }
}
