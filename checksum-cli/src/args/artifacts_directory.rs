//! `--artifacts failed|all=DIRECTORY`.

use std::path::PathBuf;
use std::str::FromStr;

use super::report_file::of_run;

/// The attachments that are downloaded after a run, and where to.
#[derive(Clone, Debug)]
pub(crate) struct ArtifactsDirectory {
    /// Whether only those of tests that failed, also because of a bug, are downloaded.
    pub(crate) only_failed: bool,
    pub(crate) path: PathBuf,
}

impl ArtifactsDirectory {
    /// Returns the directory of one of several runs; `None` if the path does not depend on the run.
    pub(crate) fn of_run(&self, name: &str) -> Option<Self> {
        let path = of_run(&self.path, name)?;
        let only_failed = self.only_failed;
        Some(Self { only_failed, path })
    }
}

impl FromStr for ArtifactsDirectory {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (only_failed, path) = match text.split_once('=') {
            Some(("failed", path)) => (true, path),
            Some(("all", path)) => (false, path),
            _ => (false, ""),
        };
        if path.is_empty() {
            return Err("give failed=DIRECTORY or all=DIRECTORY, such as failed=artifacts");
        }
        let path = path.into();
        Ok(Self { only_failed, path })
    }
}
