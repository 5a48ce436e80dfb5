//! The error of the command: its text, whether work was started, and what to do next.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::raw::RawResponse;
use checksum_api_ext::{Error, Handle, Intent, ParseApiKeyError, ParseBaseUrlError, Started};
use checksum_mock::MockError;

use crate::args::key_value::ValueError;
use crate::changed_files::ChangedFilesError;
use crate::not_found;
use crate::output::resume_hint::resume_hint;
use crate::signal::Signal;

const CHECK_THE_KEY: &str = "check the API key: Settings, Project Settings in the dashboard";

const NOT_FOUND_AFTER_START: &str = "it was started, but the service does not know it: see the \
    dashboard, and whether the API key is of the same project (`checksum me`)";

/// Why the command has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{source_name}: {error}")]
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
        "{source_name}: {intent} may have started; the command that sent it stopped before it \
         received a response, so there is nothing to wait for"
    )]
    MayHaveStarted { source_name: String, intent: Intent },
    #[error(
        "{source_name}: {} was not started; start it again",
        intent.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string)
    )]
    NotStarted {
        source_name: String,
        intent: Option<Intent>,
    },
    #[error("--from {}: {error}", path.display())]
    From { path: PathBuf, error: io::Error },
    #[error(
        "{source_name}: neither the name of a run, nor a key such as `heal-batch:ID`, nor a handle"
    )]
    FromLine { source_name: String },
    #[error("--from - and --api-key-stdin both read standard input")]
    StdinTwice,
    #[error("{0} of several runs needs {{run}} in its path, which becomes the name of each")]
    ReportOfSeveral(&'static str),
    #[error("{} would be the report of two runs", .0.display())]
    SameReport(PathBuf),
    #[error(
        "healing needs the repository of the pull request: give --repo OWNER/REPO, or --no-create-pr \
         without --pr"
    )]
    NoRepository,
    #[error(
        "generation needs a pull request; give {0}. In GitHub Actions, the event of a pull request has \
         them"
    )]
    NoPullRequest(String),
    #[error("--report and --artifacts are of a run, and not of a batch")]
    ReportOfBatch,
    #[error("cannot open the browser: {0}")]
    Browser(io::Error),
    #[error("there is no command `{0}`")]
    NoSuchCommand(String),
    #[error(
        "CHECKSUM_LOG: {0}; give a level such as `debug`, or levels such as `checksum_api=debug`"
    )]
    Logging(String),
    #[error(transparent)]
    Request(#[from] Error),
    /// A request to start work failed.
    #[error("{0}")]
    Start(Error),
    /// A poll failed, or a wait stopped before its work ended.
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

    /// Returns what to do next. `id` is the one that the arguments name.
    pub(crate) fn hint(&self, id: Option<&str>) -> Option<String> {
        match self {
            Self::Request(error) | Self::Start(error) if error.is_not_found() => {
                not_found(error, id)
            }
            Self::Wait { handle, error } if error.is_not_found() => {
                not_found(error, Some(handle.id()))
            }
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

/// Returns what to do after a 404, which a retry does not change.
fn not_found(error: &Error, id: Option<&str>) -> Option<String> {
    match error.started() {
        _ if is_page(error) => None,
        Started::Yes => Some(NOT_FOUND_AFTER_START.to_owned()),
        _ => not_found::hint(error.raw()?.operation()?.id, id?),
    }
}

fn is_rejected_key(error: &Error) -> bool {
    (error.is_unauthorized() || error.is_forbidden()) && !is_page(error)
}

/// Returns whether the response is a page of HTML. The error says that it is not from the API.
fn is_page(error: &Error) -> bool {
    let response = error.raw().and_then(|raw| raw.response());
    response.is_some_and(RawResponse::is_html)
}

fn noun(handle: &Handle) -> &'static str {
    match handle {
        Handle::Run(_) => "run",
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => "batch",
    }
}
