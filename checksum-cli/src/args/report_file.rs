//! `--report FORMAT=PATH`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;

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
