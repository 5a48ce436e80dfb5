//! `--report FORMAT=PATH`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use sanitise_file_name::sanitise;

/// A report that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct ReportFile {
    pub(crate) format: ReportFormat,
    pub(crate) path: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReportFormat {
    Junit,
    Ctrf,
    Markdown,
    Html,
    Dotenv,
}

/// What stands for the name of the run in a path, where there are several runs.
const RUN: &str = "{run}";

/// Returns the path of one of several runs; `None` if it does not depend on the run.
pub(super) fn of_run(path: &Path, name: &str) -> Option<PathBuf> {
    let path = path.to_str().filter(|path| path.contains(RUN))?;
    Some(path.replace(RUN, &sanitise(name)).into())
}

impl ReportFile {
    /// Returns the report of one of several runs; `None` if the path does not depend on the run.
    pub(crate) fn of_run(&self, name: &str) -> Option<Self> {
        let path = of_run(&self.path, name)?;
        let format = self.format;
        Some(Self { format, path })
    }
}

impl FromStr for ReportFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').unwrap_or((text, ""));
        let format = ReportFormat::from_str(format, false)
            .map_err(|_| "the format is junit, ctrf, markdown, html or dotenv")?;
        if path.is_empty() {
            return Err("give FORMAT=PATH, such as junit=junit.xml");
        }
        let path = path.into();
        Ok(Self { format, path })
    }
}

impl fmt::Display for ReportFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.format.to_possible_value();
        let name = value.as_ref().map_or("", |value| value.get_name());
        write!(formatter, "--report {name}={}", self.path.display())
    }
}
