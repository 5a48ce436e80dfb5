//! The command line.

mod artifacts_directory;
mod connection;
pub(crate) mod key_value;
mod mock;
mod output;
mod read;
mod report_file;
mod start;
mod value;
mod wait;

use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

pub(crate) use artifacts_directory::ArtifactsDirectory;
pub(crate) use connection::Connection;
pub(crate) use mock::Mock;
pub(crate) use output::{Format, Global};
pub(crate) use read::{Attachments, Bugs, Report, Results, Status};
pub(crate) use report_file::{ReportFile, ReportFormat};
pub(crate) use start::{Generate, GrepOptions, Heal, Run, RunOptions, Selection, Starting};
pub(crate) use wait::{Awaited, Wait};

use crate::exit_code;
use crate::output::stderr::eprint_coloured;
use crate::output::text::one_line;

/// Start end-to-end test runs in Checksum's cloud, wait for them, and exit with their verdict.
///
/// The API key comes from CHECKSUM_API_KEY, from a file or from standard input, never from an
/// argument. Data goes to standard output, messages for people to standard error.
#[derive(Debug, Parser)]
#[command(name = "checksum", version, after_help = exit_code::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Arguments {
    /// Parses the process's arguments. Ends the process if they are invalid or request help.
    pub(crate) fn from_process() -> Self {
        Self::try_parse().unwrap_or_else(|mut error| {
            if !error.use_stderr() {
                error.exit();
            }
            redact_values(&mut error);
            clean(&mut error);
            eprint_coloured(error.render().ansi().to_string().trim_end());
            process::exit(error.exit_code())
        })
    }
}

/// Makes the arguments that clap repeats safe to print.
fn clean(error: &mut clap::Error) {
    let cleaned = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(one_line(text))),
        ContextValue::Strings(texts) => {
            let texts = texts.iter().map(|text| one_line(text));
            Some(ContextValue::Strings(texts.collect()))
        }
        _ => None,
    };
    let context: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| Some((kind, cleaned(value)?)))
        .collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
}

/// Redacts values that clap repeats: of a variable after `--env A=1 B=2`, or the API key after
/// `--api-key-stdin=`.
fn redact_values(error: &mut clap::Error) {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::TooManyValues => ContextKind::InvalidValue,
        _ => return,
    };
    let redacted = match error.get(kind) {
        Some(_) if kind == ContextKind::InvalidValue => "***".to_owned(),
        Some(ContextValue::String(text)) => match text.split_once('=') {
            Some((name, _)) => format!("{name}=***"),
            None => return,
        },
        _ => return,
    };
    error.insert(kind, ContextValue::String(redacted));
    // A suggestion may repeat the value.
    error.remove(ContextKind::Suggested);
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run, wait for it, and exit with its verdict
    #[command(after_help = exit_code::HELP)]
    Run(Run),
    /// Heal the failed tests of a run, wait for it, and exit with its result
    #[command(after_help = exit_code::HELP)]
    Heal(Heal),
    /// Generate tests for a pull request, wait for the sessions, and exit with their result
    #[command(after_help = exit_code::HELP)]
    #[command(
        override_usage = "checksum generate --repo <REPO> --pr <NUMBER> --branch <BRANCH> [OPTIONS]"
    )]
    Generate(Generate),
    /// Wait for work that was started earlier, and exit with its result
    #[command(after_help = exit_code::HELP)]
    Wait(Wait),
    /// Poll work once, and exit with 8 if it is still running, otherwise with its result
    #[command(after_help = exit_code::HELP)]
    Status(Status),
    /// Show the result of each test of a finished run
    Results(Results),
    /// Show the URL of a run's HTML report, or download it
    Report(Report),
    /// List the traces, screenshots and videos of a run's tests, or download them
    Attachments(Attachments),
    /// Show the project's most recent run
    Latest(Connection),
    /// List the bugs of the application that tests have found
    Bugs(Bugs),
    /// Show the project that the API key belongs to
    Me(Connection),
    /// Run a mock server of the service on this machine
    Mock(Mock),
    /// Show a run, its healing and a second run against a built-in mock server, without a key or
    /// network
    Demo,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the JSON Schema of --output json and ndjson
    Schema,
    /// Print the manual page of this command, or of one of its commands
    Man {
        /// A command, such as `run grep`
        command: Vec<String>,
    },
}
