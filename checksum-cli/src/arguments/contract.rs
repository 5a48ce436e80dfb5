use std::path::PathBuf;

use checksum_api_ext::types::{JobName, TestRunId};
use clap::{Args, Subcommand};

use super::Connection;
use crate::exit_code;

#[derive(Debug, Args)]
pub(crate) struct Contract {
    #[command(subcommand)]
    pub(crate) task: ContractTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContractTask {
    /// Read a little of everything, and tell where the answers are not as the document says
    ///
    /// Nothing is started or changed: it reads the project, the latest test run, its results, its
    /// report, the attachments of its first test, the bugs and, with --job, the status of a run.
    /// Each is read once. What deviates from a documented part is a drift, from any other part a
    /// note. No value of an answer is shown, but new values of enumerations that look like a word.
    #[command(after_help = exit_code::CONTRACT_HELP)]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The name of a run whose status to read as well, by both versions of the API
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<JobName>,
    /// The test run to read, in place of the latest
    #[arg(long, value_name = "ID")]
    pub(crate) test_run: Option<TestRunId>,
    /// Write the shapes of the answers to a file, without their values
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
