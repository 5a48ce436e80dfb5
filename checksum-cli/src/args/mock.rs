//! The arguments of `checksum mock`.

use checksum_api_ext::RunState;
use checksum_api_ext::raw::Meaning;
use clap::Args;

use super::value::{Known, known, number};

#[derive(Debug, Args)]
pub(crate) struct Mock {
    /// The port on the loopback interface; 0 for any free port
    #[arg(long, default_value_t = 4010, value_parser = number::<u16>(0..=65_535))]
    pub(crate) port: u16,
    /// The state that runs end in, or `other:STATE`, which is not listed
    #[arg(long, default_value = "passed", value_name = "STATE", value_parser = end_state())]
    pub(crate) end_state: RunState,
    /// The id of a test that fails in every run that includes it; repeatable
    #[arg(long, value_name = "TEST")]
    pub(crate) fail_test: Vec<String>,
    /// Also serve the undocumented parts of the API that the vendor's clients use
    ///
    /// Each response to the start of a run has `runId` and `sharded`. The status of a run by its
    /// test run id has `isTerminal`, `verdict` and `failureReason`. Affected tests can be found,
    /// runs can be sharded, and suites chosen by their ids. The key may come as `ChecksumAppCode`,
    /// so that the vendor's clients work with this server.
    #[arg(long)]
    pub(crate) observed: bool,
}

fn end_state() -> Known<RunState> {
    let states = RunState::KNOWN.iter();
    let terminal = states.filter(|state| state.meaning() != Some(Meaning::Pending));
    known(terminal, RunState::as_str)
}
