use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use checksum_api_ext::types::{BatchId, JobName};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// Work that goes on in the service, by what `checksum wait` takes it up again by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum WayBack {
    Run(JobName),
    HealBatch(BatchId),
    GenerationBatch(BatchId),
}

impl WayBack {
    pub(crate) fn job_name(&self) -> Option<&JobName> {
        match self {
            Self::Run(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn batch_id(&self) -> Option<&BatchId> {
        match self {
            Self::HealBatch(id) | Self::GenerationBatch(id) => Some(id),
            Self::Run(_) => None,
        }
    }

    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::HealBatch(_) | Self::GenerationBatch(_) => "batch",
        }
    }

    /// What to do to take it up again.
    pub(crate) fn hint(&self) -> String {
        let (option, name) = match self {
            Self::Run(name) => ("", name.as_str()),
            Self::HealBatch(id) => ("--heal-batch", id.as_str()),
            Self::GenerationBatch(id) => ("--generation-batch", id.as_str()),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
        let is_plain = name.chars().all(is_plain) && !name.starts_with('-');
        let quoted = if is_plain {
            name.to_owned()
        } else {
            format!("'{}'", name.replace('\'', r"'\''"))
        };
        let arguments = match (option, is_plain) {
            ("", true) => quoted,
            ("", false) => format!("-- {quoted}"),
            // A value that begins with a hyphen is one only behind the `=`.
            (option, _) => format!("{option}={quoted}"),
        };
        format!("come back with `checksum wait {arguments}`")
    }
}

/// The name alone.
impl fmt::Display for WayBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(name) => name.fmt(formatter),
            Self::HealBatch(id) | Self::GenerationBatch(id) => id.fmt(formatter),
        }
    }
}

/// The file that keeps a way back. It is prepared before anything is started: should it be
/// impossible to write, nothing is lost yet.
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

    /// Puts the way back in the place of what the file held, all of it or nothing.
    pub(crate) fn keep(mut self, way_back: &WayBack) -> io::Result<()> {
        serde_json::to_writer(&mut self.prepared, way_back)?;
        writeln!(self.prepared)?;
        self.prepared.as_file().sync_all()?;
        self.prepared.persist(&self.path)?;
        Ok(())
    }

    pub(crate) fn read(path: &Path) -> io::Result<WayBack> {
        Ok(serde_json::from_reader(File::open(path)?)?)
    }
}
