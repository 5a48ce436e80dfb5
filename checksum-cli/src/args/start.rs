//! The arguments of the commands that start work.

use std::path::PathBuf;

use checksum_api_ext::{CollectionId, PrNumber, RepoName, SuiteId, TestId, TestRunId};
use clap::{Args, Subcommand};

use super::after_help::with_exit_codes;
use super::artifacts_directory::ArtifactsDirectory;
use super::connection::Connection;
use super::key_value::EnvOverrides;
use super::report_file::ReportFile;
use super::value;
use super::wait::Waiting;
use crate::exit_code;

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(subcommand)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Selection {
    /// All tests of the project, or of some of its suites
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum run suite --timeout 45m --report junit=junit.xml",
        "checksum run suite --auto-heal --repo acme-co/my-tests --heal-branch main",
    ]))]
    Suite {
        /// Only the tests of this suite; repeatable. Not documented: known from the vendor's client
        #[arg(long, value_name = "ID")]
        suite: Vec<SuiteId>,
        #[command(flatten)]
        options: RunOptions,
    },
    /// All tests of a collection
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&["checksum run collection smoke --timeout 15m"]))]
    Collection {
        /// The collection's id
        id: CollectionId,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Tests by their ids
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&["checksum run tests test-abc-123 test-def-456"]))]
    Tests {
        /// The tests' ids
        #[arg(required = true)]
        ids: Vec<TestId>,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Tests by their names
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum run grep checkout --branch feature/checkout --env PASSWORD",
        "checksum run grep checkout --detach --handle-file run.json",
    ]))]
    Grep {
        /// A part of the names, or a regular expression
        pattern: String,
        #[command(flatten)]
        grep: GrepOptions,
        #[command(flatten)]
        options: RunOptions,
    },
    /// The tests that a change may affect; if there are none, nothing is started and the exit code is
    /// 0
    ///
    /// The operation that finds the tests is not documented: it is known from the vendor's client.
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum run affected --base origin/main",
        "checksum run affected src/cart.ts src/checkout.ts",
    ]))]
    Affected {
        #[command(flatten)]
        changed: ChangedFiles,
        #[command(flatten)]
        grep: GrepOptions,
        #[command(flatten)]
        options: RunOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GrepOptions {
    /// The branch of your repository that the run checks out. In GitHub Actions, it is taken from the
    /// event
    #[arg(long, value_parser = value::branch)]
    pub(crate) branch: Option<String>,
    /// Split the run into this many parts that run in parallel, 2 to 40; not with --auto-heal. Not
    /// documented: known from the vendor's client. Such a run has no name; resume it with
    /// `checksum wait --test-run`
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with = "auto_heal",
        value_parser = value::number::<u64>(2..=40)
    )]
    pub(crate) shards: Option<u64>,
    #[command(flatten)]
    pub(crate) env_overrides: EnvOverrides,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ChangedFiles {
    /// The paths of the files that changed, from the root of the repository; `-` reads them from
    /// standard input: one on each line, or as `git diff --name-only -z` prints them
    #[arg(value_parser = value::path)]
    pub(crate) files: Vec<String>,
    /// The files that changed since the current branch left this one, as
    /// `git diff --name-only --no-renames REV...` lists them
    #[arg(long, value_name = "REV", conflicts_with = "files", value_parser = value::branch)]
    pub(crate) base: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) auto_heal: AutoHealOptions,
    #[command(flatten)]
    pub(crate) starting: Starting,
    /// Count a pass as failed if the same response contradicts it: it counts failed tests, has
    /// fields that cannot be read, or lacks counts
    #[arg(long, help_heading = "Waiting", conflicts_with = "detach")]
    pub(crate) strict: bool,
    /// Let a run pass if no test ran, unless the service's own verdict is `fail`
    #[arg(long, help_heading = "Waiting", conflicts_with = "detach")]
    pub(crate) allow_no_tests: bool,
    /// Write a report of the run, whatever its outcome; repeatable. Formats: junit, ctrf, markdown,
    /// html, dotenv
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Waiting")]
    #[arg(conflicts_with_all = ["detach", "dry_run"])]
    pub(crate) report: Vec<ReportFile>,
    /// Download the traces, screenshots and videos of the tests that failed or found a bug (failed),
    /// or of all tests (all), with a subdirectory for each test
    #[arg(long, value_name = "failed|all=DIRECTORY", help_heading = "Waiting")]
    #[arg(conflicts_with_all = ["detach", "dry_run"])]
    pub(crate) artifacts: Option<ArtifactsDirectory>,
}

/// How work is started and waited for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Starting")]
pub(crate) struct Starting {
    /// Do not wait: print the name of what was started and exit
    #[arg(long, conflicts_with_all = ["timeout", "poll_interval"])]
    pub(crate) detach: bool,
    /// Write a handle to this file; resume with `checksum wait --handle-file`
    ///
    /// Before the request is sent, the file records what may start. If no response arrives,
    /// `checksum wait` then exits with 5. If the service rejects the request, it exits with 2. An
    /// older handle is printed and replaced.
    #[arg(long, value_name = "PATH")]
    pub(crate) handle_file: Option<PathBuf>,
    /// Print the request and send nothing; needs no API key
    #[arg(long, conflicts_with_all = ["detach", "handle_file"])]
    pub(crate) dry_run: bool,
    /// Add any other field to the request; repeatable. It replaces a field that the request already
    /// has
    #[arg(long, value_name = "NAME=JSON")]
    pub(crate) field: Vec<String>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Healing")]
pub(crate) struct AutoHealOptions {
    /// Start healing if the run fails
    #[arg(long)]
    pub(crate) auto_heal: bool,
    /// The repository of the pull request, as owner/repo; required unless --no-create-pr is given
    /// without --pr
    #[arg(long, requires = "auto_heal")]
    pub(crate) repo: Option<RepoName>,
    /// The branch of the tests' repository that the fixes are made against
    #[arg(long, requires = "auto_heal", value_name = "BRANCH", value_parser = value::branch)]
    pub(crate) heal_branch: Option<String>,
    /// The number of an existing pull request to report to
    #[arg(long, requires = "auto_heal", value_name = "NUMBER", value_parser = value::pr_number)]
    pub(crate) pr: Option<PrNumber>,
    /// Open no pull request with the fixes
    #[arg(long, requires = "auto_heal")]
    pub(crate) no_create_pr: bool,
    /// Context for the agent's prompt, as text, or as any JSON after `:=`, such as
    /// 'ticket:={"id":7}'; repeatable. Not documented here: known from the vendor's client
    #[arg(long, requires = "auto_heal", value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Heal {
    /// The id of the test run, as the verdict shows it; it is not the name of the run
    pub(crate) test_run: TestRunId,
    /// The repository of the pull request, as owner/repo; required unless --no-create-pr is given
    /// without --pr
    #[arg(long)]
    pub(crate) repo: Option<RepoName>,
    /// The branch of the tests' repository that the fixes are made against. Default: the branch of
    /// the run, so give it if the run was of a branch of your application's code
    #[arg(long, value_parser = value::branch)]
    pub(crate) branch: Option<String>,
    /// The number of an existing pull request to report to
    #[arg(long, value_name = "NUMBER", value_parser = value::pr_number)]
    pub(crate) pr: Option<PrNumber>,
    /// Open no pull request with the fixes
    #[arg(long)]
    pub(crate) no_create_pr: bool,
    /// Context for the agent's prompt, as text, or as any JSON after `:=`, such as
    /// 'ticket:={"id":7}'; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
    #[command(flatten)]
    pub(crate) starting: Starting,
    /// Count a success as failed if the same response contradicts it: it has totals that cannot be
    /// read
    #[arg(long, help_heading = "Waiting", conflicts_with = "detach")]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The repository of the pull request, as owner/repo. In GitHub Actions, this and the next two
    /// are taken from the event
    #[arg(long, value_parser = value::with_owner)]
    pub(crate) repo: Option<RepoName>,
    /// The pull request's number
    #[arg(long, value_name = "NUMBER", value_parser = value::pr_number)]
    pub(crate) pr: Option<PrNumber>,
    /// The pull request's branch
    #[arg(long, value_parser = value::branch)]
    pub(crate) branch: Option<String>,
    #[command(flatten)]
    pub(crate) env_overrides: EnvOverrides,
    /// Context for the agent's prompt, as text, or as any JSON after `:=`, such as
    /// 'ticket:={"id":7}'; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
    #[command(flatten)]
    pub(crate) starting: Starting,
    /// Count a success as failed if the same response contradicts it: it has totals that cannot be
    /// read
    #[arg(long, help_heading = "Waiting", conflicts_with = "detach")]
    pub(crate) strict: bool,
}
