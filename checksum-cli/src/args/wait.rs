use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::PollPolicy;
use checksum_api_ext::{BatchId, JobName, TestRunId};
use clap::Args;

use super::Connection;

/// For how long a run or batch that is waited for by its name may be unknown: it may have been
/// started by the command before.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Waiting {
    /// Stop starting and waiting after this long, such as 30m; work that has started goes on
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Poll this often, such as 10s, in place of the pace that suits most runs; a service that is
    /// not on this machine is polled once a second at the most
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) poll_interval: Option<Duration>,
}

impl Waiting {
    pub(crate) fn policy(&self) -> PollPolicy {
        let policy = match self.poll_interval {
            None => PollPolicy::default(),
            // Jobs that started together do not poll together for good.
            Some(interval) if interval >= Duration::from_secs(1) => {
                PollPolicy::fixed(interval).jitter(0.1)
            }
            Some(interval) => PollPolicy::fixed(interval),
        };
        let policy = policy.not_found_grace_of_unknown_age(GRACE);
        match self.timeout {
            None => policy,
            Some(timeout) => policy.deadline(timeout),
        }
    }

    /// The policy for what is left when so much of the time limit is spent.
    pub(crate) fn policy_after(&self, spent: Duration) -> PollPolicy {
        match self.timeout {
            None => self.policy(),
            Some(timeout) => self.policy().deadline(timeout.saturating_sub(spent)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) awaited: Awaited,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// Fail a pass that the same answer contradicts: by a count of failed tests, by fields that
    /// cannot be read, or by counts that are not there
    #[arg(long, help_heading = "Waiting")]
    pub(crate) strict: bool,
    /// Let a run pass in which no test ran, unless the service's own verdict fails it
    #[arg(long, help_heading = "Waiting", conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) allow_no_tests: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Awaited {
    /// The name that the run was started with
    pub(crate) job: Option<JobName>,
    /// A run that has no name, as a sharded run, by its test run id; beside a name, the end of the run
    /// is confirmed by it. Not documented: known from the vendor's client
    #[arg(long, value_name = "ID")]
    pub(crate) test_run: Option<TestRunId>,
    /// A healing, by its batch's id
    #[arg(
        long,
        value_name = "BATCH",
        conflicts_with_all = ["job", "test_run", "generation_batch", "handle_file"]
    )]
    pub(crate) heal_batch: Option<BatchId>,
    /// A generation, by its batch's id
    #[arg(long, value_name = "BATCH", conflicts_with_all = ["job", "test_run", "handle_file"])]
    pub(crate) generation_batch: Option<BatchId>,
    /// What --handle-file kept when it was started
    #[arg(long, value_name = "PATH", conflicts_with_all = ["job", "test_run"])]
    pub(crate) handle_file: Option<PathBuf>,
}
