//! The command line.

mod after_help;
mod artifacts_directory;
mod connection;
mod env_file;
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

use self::after_help::{examples, with_exit_codes};
use crate::exit_code;
use crate::output::stderr::eprint_coloured;
use crate::output::text::one_line;

/// Start end-to-end test runs in Checksum's cloud, wait for them, and exit with their verdict.
///
/// The API key comes from CHECKSUM_API_KEY, from a file or from standard input, never from an
/// argument. Data goes to standard output, messages for people to standard error.
#[derive(Debug, Parser)]
#[command(name = "checksum", version, max_term_width = 100, after_help = exit_code::HELP)]
#[command(after_long_help = with_exit_codes(&[
    "checksum demo",
    "checksum run suite --timeout 45m --report junit=junit.xml",
    "checksum run affected --base origin/main",
]))]
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

impl Command {
    /// Returns the id that the arguments name, for the hint if the service does not know it.
    pub(crate) fn id(&self) -> Option<String> {
        let id = match self {
            Self::Run(Run {
                selection: Selection::Collection { id, .. },
            }) => id.as_str(),
            Self::Heal(heal) => heal.test_run.as_str(),
            Self::Results(results) => results.test_run.as_str(),
            Self::Report(report) => report.test_run.as_str(),
            Self::Attachments(attachments) => attachments.test_run.as_str(),
            _ => return None,
        };
        Some(id.to_owned())
    }
}

fn with_code_of_several(help: &str) -> String {
    format!("{help}\n{}", exit_code::HELP_OF_SEVERAL)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run, wait for it, and exit with its verdict
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum run suite --timeout 45m --report junit=junit.xml",
        "checksum run grep checkout --branch feature/checkout",
    ]))]
    Run(Run),
    /// Heal the failed tests of a run, wait for it, and exit with its result
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum heal 00000000-0000-4000-8000-000000000001 --repo acme-co/my-tests --branch main",
        "checksum heal 00000000-0000-4000-8000-000000000001 --no-create-pr",
    ]))]
    Heal(Heal),
    /// Generate tests for a pull request, wait for the sessions, and exit with their result
    #[command(
        override_usage = "checksum generate --repo <REPO> --pr <NUMBER> --branch <BRANCH> [OPTIONS]"
    )]
    #[command(after_long_help = with_exit_codes(&[
        "checksum generate --repo acme-co/webapp --pr 42 --branch feature/checkout",
    ]))]
    Generate(Generate),
    /// Wait for work that was started earlier, and exit with its result
    #[command(after_help = with_code_of_several(exit_code::HELP))]
    #[command(after_long_help = with_code_of_several(&with_exit_codes(&[
        "checksum wait job-name-12345 --timeout 45m",
        "checksum wait --handle-file run.json",
        "checksum wait job-name-12345 job-name-12346",
        "cat handles/*.json | checksum wait --from -",
    ])))]
    Wait(Wait),
    /// Poll work once, and exit with 8 if it is still running, otherwise with its result
    #[command(after_help = exit_code::HELP)]
    #[command(after_long_help = with_exit_codes(&[
        "checksum status job-name-12345",
        "checksum status --heal-batch batch-xyz-789",
    ]))]
    Status(Status),
    /// Show the result of each test of a finished run
    #[command(after_long_help = examples(&[
        "checksum results 00000000-0000-4000-8000-000000000001 --status failed",
        "checksum results 00000000-0000-4000-8000-000000000001 --report html=run.html",
    ]))]
    Results(Results),
    /// Show the URL of a run's HTML report, or download it
    #[command(after_long_help = examples(&[
        "checksum report 00000000-0000-4000-8000-000000000001 --download report.html",
    ]))]
    Report(Report),
    /// List the traces, screenshots and videos of a run's tests, or download them
    #[command(after_long_help = examples(&[
        "checksum attachments 00000000-0000-4000-8000-000000000001 --failed --download artifacts",
    ]))]
    Attachments(Attachments),
    /// Show the project's most recent run
    #[command(after_long_help = examples(&["checksum latest --output json"]))]
    Latest(Connection),
    /// List the bugs of the application that tests have found
    #[command(after_long_help = examples(&[
        "checksum bugs --severity critical --status confirmed",
    ]))]
    Bugs(Bugs),
    /// Show the project that the API key belongs to
    #[command(after_long_help = examples(&["checksum me"]))]
    Me(Connection),
    /// Run a mock server of the service on this machine
    #[command(after_long_help = examples(&["checksum mock --port 4010 --end-state failed"]))]
    Mock(Mock),
    /// Show a run, its healing and a second run against a built-in mock server, without a key or
    /// network
    #[command(after_long_help = examples(&["checksum demo"]))]
    Demo,
    /// Print a completion script for a shell
    #[command(after_long_help = examples(&[
        "checksum completions bash > ~/.local/share/bash-completion/completions/checksum",
    ]))]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the JSON Schema of --output json and ndjson
    #[command(after_long_help = examples(&["checksum schema > checksum.schema.json"]))]
    Schema,
    /// Print the manual page of this command, or of one of its commands
    #[command(after_long_help = examples(&["checksum man run grep | man -l -"]))]
    Man {
        /// A command, such as `run grep`
        command: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Parses the examples of a command and of its commands. `path` names the command.
    fn parse_examples(command: &clap::Command, path: &str) {
        let help = command.get_after_long_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let lines = help.lines().map(str::trim);
        let examples: Vec<&str> = lines.filter(|line| line.starts_with("checksum ")).collect();
        assert!(!examples.is_empty(), "{path} has no example");
        for example in examples {
            assert!(example.starts_with(path), "{example} is not of {path}");
            // Up to a pipe or a file of the shell.
            let words = example
                .split(' ')
                .take_while(|word| !["|", ">"].contains(word));
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{example}: {error}");
            }
        }
        for command in command.get_subcommands() {
            if command.get_name() != "help" {
                parse_examples(command, &format!("{path} {}", command.get_name()));
            }
        }
    }

    #[test]
    fn each_command_has_examples_that_parse() {
        let mut command = Arguments::command();
        command.build();
        parse_examples(&command, "checksum");
    }
}
