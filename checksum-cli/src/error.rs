//! The error of the command: its text, whether work was started, and what to do next.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::{Error, Handle, Intent, ParseApiKeyError, ParseBaseUrlError, Started};
use checksum_mock::MockError;

use crate::args::key_value::ValueError;
use crate::changed_files::ChangedFilesError;
use crate::output::resume_hint::resume_hint;
use crate::signal::Signal;

const CHECK_THE_KEY: &str = "check the API key: Settings, Project Settings in the dashboard";

/// Why the command has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("cannot read the API key from {source_name}: {error}")]
    ReadKey {
        source_name: String,
        error: io::Error,
    },
    #[error("{source_name}: {error}")]
    Key {
        source_name: String,
        error: ParseApiKeyError,
    },
    #[error("--base-url: {0}")]
    BaseUrl(#[from] ParseBaseUrlError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    ChangedFiles(#[from] ChangedFilesError),
    #[error(
        "the affected tests were not found within {}; nothing was started",
        humantime::format_duration(*after)
    )]
    AffectedTimedOut { after: Duration },
    #[error("--handle-file {}: {error}", path.display())]
    HandleFile { path: PathBuf, error: io::Error },
    #[error(
        "--handle-file {}: {intent} may have started; the command that sent it stopped before it \
         received a response, so there is nothing to wait for",
        path.display()
    )]
    MayHaveStarted { path: PathBuf, intent: Intent },
    #[error(
        "--handle-file {}: {} was not started; start it again",
        path.display(),
        intent.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string)
    )]
    NotStarted {
        path: PathBuf,
        intent: Option<Intent>,
    },
    #[error(
        "healing needs the repository of the pull request: give --repo, or --no-create-pr without --pr"
    )]
    NoRepository,
    #[error(
        "generation needs a pull request; give {0}. In GitHub Actions, the event of a pull request has \
         them"
    )]
    NoPullRequest(String),
    #[error("--report and --artifacts are of a run, and the handle file has a batch")]
    ReportOfBatch,
    #[error("cannot open the browser: {0}")]
    Browser(io::Error),
    #[error("there is no command `{0}`")]
    NoSuchCommand(String),
    #[error("CHECKSUM_LOG: {0}")]
    Logging(String),
    #[error(transparent)]
    Request(#[from] Error),
    /// A request to start work failed.
    #[error("{0}")]
    Start(Error),
    /// A wait stopped before its work ended.
    #[error("{error}")]
    Wait { handle: Box<Handle>, error: Error },
    #[error("{0}; nothing was started")]
    InterruptedLookup(Signal),
    #[error("{0} while the work was being started; it may have started")]
    InterruptedStart(Signal),
    #[error("{signal}; the {} goes on", noun(handle))]
    InterruptedWait { signal: Signal, handle: Box<Handle> },
    #[error("{0}")]
    Interrupted(Signal),
    #[error("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())]
    Mock {
        #[from]
        error: MockError,
    },
    /// The mock server gave an invalid id or address.
    #[error("the mock server of the demo is broken; please report it")]
    Demo,
}

impl CliError {
    /// Returns whether the command started work; `None` for a command that starts none.
    pub(crate) fn started(&self) -> Option<Started> {
        match self {
            Self::Start(error) => Some(error.started()),
            Self::InterruptedStart(_) | Self::MayHaveStarted { .. } => Some(Started::Maybe),
            Self::NotStarted { .. }
            | Self::AffectedTimedOut { .. }
            | Self::ChangedFiles(_)
            | Self::InterruptedLookup(_) => Some(Started::No),
            _ => None,
        }
    }

    /// Returns the handle of the work that goes on.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        match self {
            Self::Wait { handle, .. } | Self::InterruptedWait { handle, .. } => Some(handle),
            _ => None,
        }
    }

    /// Returns what to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Request(error) | Self::Start(error) if is_rejected_key(error) => {
                Some(CHECK_THE_KEY.to_owned())
            }
            Self::Wait { handle, error } if is_rejected_key(error) => {
                Some(format!("{CHECK_THE_KEY}; then {}", resume_hint(handle)))
            }
            Self::InterruptedStart(_) | Self::MayHaveStarted { .. } => {
                Some("check the dashboard before starting it again".to_owned())
            }
            _ => self.handle().map(resume_hint),
        }
    }
}

fn is_rejected_key(error: &Error) -> bool {
    error.is_unauthorized() || error.is_forbidden()
}

fn noun(handle: &Handle) -> &'static str {
    match handle {
        Handle::Run(_) => "run",
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => "batch",
    }
}
