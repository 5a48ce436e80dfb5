use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::PollPolicy;
use checksum_api_ext::types::{CollectionId, JobName, RepoName, TestId, TestRunId, TestStatus};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit_code;

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
    /// Wait for a run that was started earlier, and exit with its verdict
    #[command(after_help = exit_code::HELP)]
    Wait(Wait),
    /// Look at a run once; 8 while it has not finished, then its verdict's exit code
    Status(Status),
    /// Show the result of each test of a finished run
    Results(Results),
    /// Show the project that the API key belongs to
    Me(Me),
    /// Check what the service answers against the OpenAPI document
    Contract(Contract),
    /// Serve a stand-in of the service on this machine, for trying things out
    Mock(Mock),
    /// See it all happen against the built-in stand-in: no key, no network
    Demo,
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
        /// An environment variable for this run; repeatable. Values are never printed
        #[arg(long, value_name = "KEY=VALUE")]
        env: Vec<String>,
        #[command(flatten)]
        options: RunOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) healing: Healing,
    /// Do not wait: print the run's name and exit
    #[arg(
        long,
        help_heading = "Waiting",
        conflicts_with_all = ["timeout", "poll_interval", "strict"]
    )]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) connection: Connection,
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
    /// Stop waiting after this long, such as 30m; the run goes on
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Look this often, such as 10s, in place of the pace that suits most runs
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) poll_interval: Option<Duration>,
    /// Fail a pass that the same answer contradicts, by a count of failed tests
    #[arg(long)]
    pub(crate) strict: bool,
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
    /// The name that the run was started with
    pub(crate) job: JobName,
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
