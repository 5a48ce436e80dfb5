use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::example;
use crate::process::Running;

/// Generous, since cargo looks whether there is something to build, and may wait for another cargo.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The stand-in as a process of its own: the example `serve` of `checksum-mock`.
#[derive(Debug)]
pub(crate) struct StandIn {
    process: Running,
    /// Its base URL.
    pub(crate) url: String,
}

impl StandIn {
    /// Starts it, with its log in that folder.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let mut command = example("checksum-mock", "serve");
        let log = folder.join("stand-in.txt");
        let mut process = Running::start("the stand-in", &mut command, &log)?;
        let url = process.wait_until(START_LIMIT, |process| {
            let said = process.said();
            let (url, _) = said.split_once('\n')?;
            url.starts_with("http://").then(|| url.to_owned())
        })?;
        Ok(Self { process, url })
    }

    /// From now on its answer to `run_suite` misses a member that the document promises.
    pub(crate) fn lie(&mut self) -> Result<()> {
        self.process.tell("lie")
    }
}
