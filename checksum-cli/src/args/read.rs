//! The arguments of the commands that only read.

use std::path::PathBuf;

use checksum_api_ext::{BugSeverity, BugStatus, TestId, TestRunId, TestStatus};
use clap::Args;

use super::artifacts_directory::ArtifactsDirectory;
use super::connection::Connection;
use super::report_file::ReportFile;
use super::value;
use super::wait::Awaited;

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) awaited: Awaited,
    /// Count a pass as failed if the same response contradicts it: it counts failed tests, has
    /// fields that cannot be read, or lacks counts
    #[arg(long)]
    pub(crate) strict: bool,
    /// Let a run pass if no test ran, unless the service's own verdict is `fail`
    #[arg(long, conflicts_with_all = ["heal_batch", "generation_batch"])]
    pub(crate) allow_no_tests: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The id of the test run, as the verdict shows it; it is not the name of the run
    pub(crate) test_run: TestRunId,
    /// Only tests with this status, or with `other:STATUS`, which is not listed
    #[arg(long, value_parser = value::known(TestStatus::KNOWN, TestStatus::as_str))]
    pub(crate) status: Option<TestStatus>,
    /// Write a report of the run; repeatable. Formats: junit, ctrf, markdown, html, dotenv
    #[arg(long, value_name = "FORMAT=PATH", conflicts_with = "status")]
    pub(crate) report: Vec<ReportFile>,
    /// Download the traces, screenshots and videos of the tests that failed or found a bug (failed),
    /// or of all tests of the table (all), with a subdirectory for each test
    #[arg(long, value_name = "failed|all=DIRECTORY")]
    pub(crate) artifacts: Option<ArtifactsDirectory>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The id of the test run, as the verdict shows it; it is not the name of the run
    pub(crate) test_run: TestRunId,
    /// Download the page to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) download: Option<PathBuf>,
    /// Open the page in the browser (the environment variable BROWSER overrides which)
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Attachments {
    /// The id of the test run, as the verdict shows it; it is not the name of the run
    pub(crate) test_run: TestRunId,
    /// The test's id. Default: every test
    pub(crate) test: Option<TestId>,
    /// Only tests that failed or found a bug
    #[arg(long, conflicts_with = "test")]
    pub(crate) failed: bool,
    /// Download the files into this directory, with a subdirectory for each test
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) download: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Bugs {
    /// Only bugs in this state, or in `other:STATUS`, which is not listed
    #[arg(long, value_parser = value::known(BugStatus::KNOWN, BugStatus::as_str))]
    pub(crate) status: Option<BugStatus>,
    /// Only bugs of this severity, or of `other:SEVERITY`, which is not listed
    #[arg(long, value_parser = value::known(BugSeverity::KNOWN, BugSeverity::as_str))]
    pub(crate) severity: Option<BugSeverity>,
    /// Only bugs whose text contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only bugs with this tag; repeatable
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Only bugs of this project
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// Only bugs of this collection, by its name
    #[arg(long, value_name = "NAME")]
    pub(crate) collection_name: Option<String>,
    /// Only one page, of this many bugs. Default: all bugs
    #[arg(long, value_name = "COUNT", value_parser = value::number::<u64>(1..=u64::MAX))]
    pub(crate) limit: Option<u64>,
    /// Stop after this many bugs, or 64 MiB of them, and exit with 10 if there may be more
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10_000,
        conflicts_with = "limit"
    )]
    #[arg(value_parser = value::number::<u64>(1..=u64::MAX))]
    pub(crate) max: u64,
    /// Skip this many bugs
    #[arg(long, value_name = "COUNT", value_parser = value::number::<u64>(0..=u64::MAX))]
    pub(crate) offset: Option<u64>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
