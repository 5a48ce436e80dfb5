//! The arguments for waiting.

use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::{BatchId, JobName, PollPolicy, TestRunId};
use clap::Args;

use super::artifacts_directory::ArtifactsDirectory;
use super::connection::Connection;
use super::report_file::ReportFile;
use super::value;

/// How long 404 is tolerated for work that is waited for by name: the previous command may have
/// started it just now.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Waiting {
    /// Stop after this time, such as 30m, whether starting or waiting; work that was started goes
    /// on
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) timeout: Option<Duration>,
    /// Poll at a fixed interval, such as 10s (default: adaptive); at least 1s unless the service is
    /// on this machine
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) poll_interval: Option<Duration>,
}

impl Waiting {
    pub(crate) fn policy(&self) -> PollPolicy {
        let policy = match self.poll_interval {
            None => PollPolicy::default(),
            // Jobs that started together should not keep polling together.
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

    /// Returns the policy for what is left of --timeout.
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
    /// The names of further runs. All are waited for at once; the exit code is the worst
    #[arg(value_name = "JOB")]
    #[arg(conflicts_with_all = ["test_run", "heal_batch", "generation_batch", "handle_file"])]
    pub(crate) further: Vec<JobName>,
    /// Runs and batches to wait for at once, one per line: a name, a key such as `heal-batch:ID`,
    /// what --handle-file wrote, or a line of --output json or ndjson. `-` is standard input; blank
    /// lines and lines that begin with `#` are ignored
    #[arg(long, value_name = "FILE", group = "Awaited")]
    #[arg(conflicts_with_all = ["test_run", "heal_batch", "generation_batch", "handle_file"])]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// Count a pass as failed if the same response contradicts it: it counts failed tests, has
    /// fields that cannot be read, or lacks counts
    #[arg(long, help_heading = "Waiting")]
    pub(crate) strict: bool,
    /// Let a run pass if no test ran, unless the service's own verdict is `fail`
    #[arg(long, help_heading = "Waiting", conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) allow_no_tests: bool,
    /// Write a report of the run, whatever its outcome; repeatable. Formats: junit, ctrf, markdown,
    /// html, dotenv. Of several runs, PATH needs `{run}`, which becomes the name of each
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Waiting")]
    #[arg(conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) report: Vec<ReportFile>,
    /// Download the traces, screenshots and videos of the tests that failed or found a bug (failed),
    /// or of all tests (all), with a subdirectory for each test. Of several runs, DIRECTORY needs
    /// `{run}`
    #[arg(long, value_name = "failed|all=DIRECTORY", help_heading = "Waiting")]
    #[arg(conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) artifacts: Option<ArtifactsDirectory>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Awaited {
    /// The name that the run was started with
    pub(crate) job: Option<JobName>,
    /// The run's test run id, for a sharded run, which has no name; with a name, it confirms the end
    /// of the run. Not documented: known from the vendor's client
    #[arg(long, value_name = "ID")]
    pub(crate) test_run: Option<TestRunId>,
    /// A healing, by the id of its batch
    #[arg(
        long,
        value_name = "BATCH",
        conflicts_with_all = ["job", "test_run", "generation_batch", "handle_file"]
    )]
    pub(crate) heal_batch: Option<BatchId>,
    /// A generation, by the id of its batch
    #[arg(long, value_name = "BATCH", conflicts_with_all = ["job", "test_run", "handle_file"])]
    pub(crate) generation_batch: Option<BatchId>,
    /// The file that --handle-file wrote at the start
    #[arg(long, value_name = "PATH", conflicts_with_all = ["job", "test_run"])]
    pub(crate) handle_file: Option<PathBuf>,
}
