use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::PollPolicy;
use checksum_api_ext::types::{BatchId, JobName};
use clap::Args;

use super::Connection;

#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Waiting {
    /// Stop waiting after this long, such as 30m; the work goes on
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Look this often, such as 10s, in place of the pace that suits most runs
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) poll_interval: Option<Duration>,
}

impl Waiting {
    pub(crate) fn policy(&self) -> PollPolicy {
        let policy = self
            .poll_interval
            .map_or_else(PollPolicy::default, PollPolicy::every);
        match self.timeout {
            None => policy,
            Some(timeout) => policy.deadline(timeout),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) awaited: Awaited,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// Fail a run's pass that the same answer contradicts, by a count of failed tests
    #[arg(long, help_heading = "Waiting", conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Awaited {
    /// The name that the run was started with
    pub(crate) job: Option<JobName>,
    /// A healing, by its batch's id
    #[arg(long, value_name = "BATCH")]
    pub(crate) heal_batch: Option<BatchId>,
    /// A generation, by its batch's id
    #[arg(long, value_name = "BATCH")]
    pub(crate) generation_batch: Option<BatchId>,
    /// What --run-id-file kept when it was started
    #[arg(long, value_name = "PATH")]
    pub(crate) run_id_file: Option<PathBuf>,
}
