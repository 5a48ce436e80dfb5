use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::PollPolicy;
use checksum_api_ext::types::{
    BatchId, BugSeverity, BugStatus, CollectionId, JobName, RepoName, TestId, TestRunId, TestStatus,
};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit_code;
use crate::failure::Failure;

/// Start end-to-end test runs in Checksum's cloud, wait for them, and exit with their verdict.
///
/// The API key comes from CHECKSUM_API_KEY, from a file or from standard input, never from an
/// argument. Data goes to standard output, everything for people to standard error.
#[derive(Debug, Parser)]
#[command(name = "checksum", version, after_help = exit_code::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Arguments {
    /// The process's arguments. Ends the process where they are wrong, or ask for help.
    pub(crate) fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|mut error| {
            mask(&mut error);
            error.exit()
        })
    }
}

/// clap repeats what it refuses: a variable's value after `--env A=1 B=2`, or the key itself after
/// `--api-key-stdin=`.
fn mask(error: &mut clap::Error) {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::TooManyValues => ContextKind::InvalidValue,
        _ => return,
    };
    let masked = match error.get(kind) {
        Some(_) if kind == ContextKind::InvalidValue => "***".to_owned(),
        Some(ContextValue::String(text)) => match text.split_once('=') {
            Some((name, _)) => format!("{name}=***"),
            None => return,
        },
        _ => return,
    };
    error.insert(kind, ContextValue::String(masked));
    // A suggestion may repeat it.
    error.remove(ContextKind::Suggested);
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// The form of the data on standard output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Format,
    /// Say nothing on standard error but errors, and the name of a run that was started
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Log to standard error; more with each, or as CHECKSUM_LOG says
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Human,
    /// One JSON object at the end
    Json,
    /// One JSON object a line, for each thing that happens
    Ndjson,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl Color {
    /// Makes it the choice of everything that this process prints.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run, wait for it, and exit with its verdict
    #[command(after_help = exit_code::HELP)]
    Run(Run),
    /// Heal the failed tests of a run, wait for it, and exit with what it came to
    #[command(after_help = exit_code::HELP)]
    Heal(Heal),
    /// Generate tests for a pull request, wait for it, and exit with what it came to
    #[command(after_help = exit_code::HELP)]
    Generate(Generate),
    /// Wait for what was started earlier, and exit with its verdict
    #[command(after_help = exit_code::HELP)]
    Wait(Wait),
    /// Look at a run once; 8 while it has not finished, then its verdict's exit code
    Status(Status),
    /// Show the result of each test of a finished run
    Results(Results),
    /// Show where a run's HTML report is, or download it
    Report(Report),
    /// List the traces, screenshots and videos of a run's tests, or download them
    Attachments(Attachments),
    /// Show the project's most recent run
    Latest(Latest),
    /// List the bugs of the application that tests have found
    Bugs(Bugs),
    /// Show the project that the API key belongs to
    Me(Me),
    /// Check what the service answers against the OpenAPI document
    Contract(Contract),
    /// Serve a stand-in of the service on this machine, for trying things out
    Mock(Mock),
    /// See it all happen against the built-in stand-in: no key, no network
    Demo,
    /// Print what a shell needs to complete this command's arguments
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page of this command, or of one of its commands
    Man {
        /// Such as `run grep`
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where the API is; CHECKSUM_API_BASE_URL, or the service itself
    #[arg(long, value_name = "URL")]
    // Taken apart later: clap would repeat a text that it refuses, with the credentials in it.
    pub(crate) base_url: Option<String>,
    /// Read the API key from a file
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_stdin")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Read the API key from standard input
    #[arg(long)]
    pub(crate) api_key_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(subcommand)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Selection {
    /// Every test of the project
    Suite {
        #[command(flatten)]
        options: RunOptions,
    },
    /// Every test of a collection
    Collection {
        /// The collection's id
        id: CollectionId,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Tests by their ids
    Tests {
        /// The tests' ids
        #[arg(required = true)]
        ids: Vec<TestId>,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Tests by their names
    Grep {
        /// A part of the names, or a regular expression
        pattern: String,
        /// The branch of the tests' repository to run
        #[arg(long)]
        branch: Option<String>,
        #[command(flatten)]
        variables: Variables,
        #[command(flatten)]
        options: RunOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) healing: Healing,
    #[command(flatten)]
    pub(crate) dispatch: Dispatch,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// Fail a pass that the same answer contradicts, by a count of failed tests
    #[arg(long, help_heading = "Waiting", conflicts_with = "detach")]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// How something is started.
#[derive(Debug, Args)]
#[command(next_help_heading = "Starting")]
pub(crate) struct Dispatch {
    /// Do not wait: print the name of what was started and exit
    #[arg(long, conflicts_with_all = ["timeout", "poll_interval"])]
    pub(crate) detach: bool,
    /// Keep what `checksum wait --run-id-file` comes back by in a file
    #[arg(long, value_name = "PATH")]
    pub(crate) run_id_file: Option<PathBuf>,
    /// Print the request and send nothing; needs no API key
    #[arg(long, conflicts_with_all = ["detach", "run_id_file"])]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// An environment variable for the tests; repeatable. Values are never printed
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,
}

impl Variables {
    pub(crate) fn pairs(&self) -> Result<Vec<(&str, &str)>, Failure> {
        pairs("--env", &self.env)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Metadata {
    /// A note that the service keeps; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    metadata: Vec<String>,
}

impl Metadata {
    pub(crate) fn pairs(&self) -> Result<Vec<(&str, &str)>, Failure> {
        pairs("--metadata", &self.metadata)
    }
}

/// Taken apart here: clap would repeat a text that it refuses, with the value in it.
fn pairs<'a>(
    option: &'static str,
    texts: &'a [String],
) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let pair = |(index, text): (usize, &'a String)| {
        text.split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or(Failure::Pair {
                option,
                number: index + 1,
            })
    };
    texts.iter().enumerate().map(pair).collect()
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Healing")]
pub(crate) struct Healing {
    /// Start healing should the run end failed
    #[arg(long)]
    pub(crate) auto_heal: bool,
    /// The repository of the pull request, as owner/repo
    #[arg(long, requires = "auto_heal")]
    pub(crate) repo: Option<RepoName>,
    /// The branch that the fixes are made against
    #[arg(long, requires = "auto_heal", value_name = "BRANCH")]
    pub(crate) heal_branch: Option<String>,
    /// The number of an existing pull request to report to
    #[arg(long, requires = "auto_heal", value_name = "NUMBER")]
    pub(crate) pr: Option<u64>,
    /// Open no pull request with the fixes
    #[arg(long, requires = "auto_heal")]
    pub(crate) no_create_pr: bool,
}

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
    /// Fail a pass that the same answer contradicts, by a count of failed tests
    #[arg(long, help_heading = "Waiting")]
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

#[derive(Debug, Args)]
pub(crate) struct Heal {
    /// The test run's id, which is not the run's name: the verdict shows it
    pub(crate) test_run: TestRunId,
    /// The repository of the pull request, as owner/repo
    #[arg(long)]
    pub(crate) repo: Option<RepoName>,
    /// The branch that the fixes are made against
    #[arg(long)]
    pub(crate) branch: Option<String>,
    /// The number of an existing pull request to report to
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pr: Option<u64>,
    /// Open no pull request with the fixes
    #[arg(long)]
    pub(crate) no_create_pr: bool,
    #[command(flatten)]
    pub(crate) metadata: Metadata,
    #[command(flatten)]
    pub(crate) dispatch: Dispatch,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The repository of the pull request, as owner/repo
    #[arg(long)]
    pub(crate) repo: RepoName,
    /// The pull request's number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pr: u64,
    /// The pull request's branch
    #[arg(long)]
    pub(crate) branch: String,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) metadata: Metadata,
    #[command(flatten)]
    pub(crate) dispatch: Dispatch,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The name that the run was started with
    pub(crate) job: JobName,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The test run's id, which is not the run's name: the verdict shows it
    pub(crate) test_run: TestRunId,
    /// Only tests of this status, such as failed
    #[arg(long)]
    pub(crate) status: Option<TestStatus>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The test run's id, which is not the run's name: the verdict shows it
    pub(crate) test_run: TestRunId,
    /// Write the page to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) download: Option<PathBuf>,
    /// Show the page in the browser, which BROWSER names where it is set
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Attachments {
    /// The test run's id, which is not the run's name: the verdict shows it
    pub(crate) test_run: TestRunId,
    /// The test's id; every test where there is none
    pub(crate) test: Option<TestId>,
    /// Only of tests that failed
    #[arg(long, conflicts_with = "test")]
    pub(crate) failed: bool,
    /// Write the files into a directory, in one of its own for each test
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) download: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Latest {
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Bugs {
    /// Only bugs in this state, such as confirmed
    #[arg(long)]
    pub(crate) status: Option<BugStatus>,
    /// Only bugs of this severity, such as critical
    #[arg(long)]
    pub(crate) severity: Option<BugSeverity>,
    /// Only bugs whose text has this
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
    /// Only one page of so many bugs; all bugs where there is no limit
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<u64>,
    /// Skip so many bugs
    #[arg(long, value_name = "COUNT")]
    pub(crate) offset: Option<u64>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Me {
    #[command(flatten)]
    pub(crate) connection: Connection,
}

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

#[derive(Debug, Args)]
pub(crate) struct Mock {
    /// The port of the loopback interface; 0 for any free one
    #[arg(long, default_value_t = 4010)]
    pub(crate) port: u16,
    /// The state that runs end in
    #[arg(long, default_value = "passed", value_name = "STATE")]
    pub(crate) end: String,
    /// A test that fails, by its id; repeatable
    #[arg(long, value_name = "TEST")]
    pub(crate) failing: Vec<String>,
}
