use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::example;
use crate::process::Running;

/// Generous, since cargo looks whether there is something to build, and may wait for another cargo.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The mock server as a process: the example `serve` of `checksum-mock`.
#[derive(Debug)]
pub(super) struct MockProcess {
    process: Running,
    /// Its base URL.
    pub(super) url: String,
}

impl MockProcess {
    /// Starts it, with its log in that folder.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let mut command = example("checksum-mock", "serve");
        let log = folder.join("mock.txt");
        let mut process = Running::start("the mock server", &mut command, &log)?;
        let url = process.wait_until(START_LIMIT, |process| {
            let stdout = process.stdout();
            let (url, _) = stdout.split_once('\n')?;
            url.starts_with("http://").then(|| url.to_owned())
        })?;
        Ok(Self { process, url })
    }

    /// From now on, its responses to `run_suite` lack a required field, and another one is of the
    /// wrong type.
    pub(super) fn send_invalid_responses(&mut self) -> Result<()> {
        self.process.write_line("invalid")
    }
}
