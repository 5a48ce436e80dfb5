use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::{
    Error, ErrorKind, Handle, Intent, ParseApiKeyError, ParseBaseUrlError, Started,
};
use checksum_mock::MockError;

use crate::args::VariableError;
use crate::changed_files::ChangedFilesError;
use crate::exit_code::ExitCode;
use crate::output::resume_hint::resume_hint;
use crate::signal::Signal;

/// What to do when the service refuses.
pub(crate) const CHECK_THE_KEY: &str =
    "check the API key: Settings, Project Settings in the dashboard";

/// Why the command ends without a verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("cannot read the API key from {}: {error}", path.display())]
    KeyFile {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("cannot read the API key from standard input: {0}")]
    KeyInput(std::io::Error),
    #[error("{from}: {error}")]
    Key {
        from: String,
        error: ParseApiKeyError,
    },
    #[error("--base-url: {0}")]
    BaseUrl(ParseBaseUrlError),
    #[error("--metadata takes KEY=TEXT or KEY:=JSON; number {number} is neither")]
    Pair { number: usize },
    #[error("--field takes NAME=JSON, with texts in double quotes; number {number} is not that")]
    Field { number: usize },
    #[error("not sent: healing that creates or names a pull request needs the repository")]
    NoRepository,
    #[error(transparent)]
    ChangedFiles(ChangedFilesError),
    #[error(
        "the affected tests were not known within {}; nothing was started",
        humantime::format_duration(*after)
    )]
    AffectedTimedOut { after: Duration },
    #[error(transparent)]
    Variable(#[from] VariableError),
    #[error("--handle-file {}: {error}", path.display())]
    HandleFile {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "--handle-file {}: {intent} may have started; the command that sent it ended before it \
         knew, so that there is nothing to wait for",
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
    #[error("cannot open the browser: {0}")]
    Browser(std::io::Error),
    #[error("there is no command `{0}`")]
    NoSuchCommand(String),
    #[error("CHECKSUM_LOG: {0}")]
    Logging(String),
    #[error(transparent)]
    Request(#[from] Error),
    /// Something was to be started.
    #[error("{0}")]
    Start(Error),
    /// A wait ended without the end of its work.
    #[error("{error}")]
    Wait { handle: Box<Handle>, error: Error },
    #[error("{signal}; nothing was started")]
    InterruptedLookUp { signal: Signal },
    #[error("{signal} while the work was being started; it may have started")]
    InterruptedStart { signal: Signal },
    #[error("{signal}; the {} goes on", noun(handle))]
    InterruptedWait { signal: Signal, handle: Box<Handle> },
    #[error("{0}")]
    Interrupted(Signal),
    #[error("{error}: {}", std::error::Error::source(error).map(ToString::to_string).unwrap_or_default())]
    Mock {
        #[from]
        error: MockError,
    },
    /// The stand-in gave an id or address that is none.
    #[error("the demo's stand-in is broken; please report it")]
    Demo,
}

impl CliError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Request(error) | Self::Start(error) | Self::Wait { error, .. } => of_error(error),
            Self::MayHaveStarted { .. } | Self::AffectedTimedOut { .. } => ExitCode::Indeterminate,
            Self::InterruptedLookUp { signal }
            | Self::InterruptedStart { signal }
            | Self::InterruptedWait { signal, .. }
            | Self::Interrupted(signal) => signal.exit_code(),
            _ => ExitCode::Usage,
        }
    }

    /// Whether the work has started that the command was to start; `None` where it was to start
    /// none.
    pub(crate) fn started(&self) -> Option<Started> {
        match self {
            Self::Start(error) => Some(error.started()),
            Self::InterruptedStart { .. } | Self::MayHaveStarted { .. } => Some(Started::Maybe),
            Self::NotStarted { .. }
            | Self::AffectedTimedOut { .. }
            | Self::ChangedFiles(_)
            | Self::InterruptedLookUp { .. } => Some(Started::No),
            _ => None,
        }
    }

    /// What goes on, where something does.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        match self {
            Self::Wait { handle, .. } | Self::InterruptedWait { handle, .. } => Some(handle),
            _ => None,
        }
    }

    /// What the reader can do now.
    pub(crate) fn hint(&self) -> Option<String> {
        let key = CHECK_THE_KEY;
        match self {
            Self::Request(error) | Self::Start(error) if is_unauthorized(error) => {
                Some(key.to_owned())
            }
            Self::Wait { handle, error } if is_unauthorized(error) => {
                Some(format!("{key}; then {}", resume_hint(handle)))
            }
            Self::InterruptedStart { .. } | Self::MayHaveStarted { .. } => {
                Some("look at the dashboard before you start it again".to_owned())
            }
            _ => self.handle().map(resume_hint),
        }
    }
}

fn noun(handle: &Handle) -> &'static str {
    match handle {
        Handle::Run(_) => "run",
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => "batch",
    }
}

pub(crate) fn is_unauthorized(error: &Error) -> bool {
    error.is_unauthorized() || error.is_forbidden()
}

pub(crate) fn of_error(error: &Error) -> ExitCode {
    match error.kind() {
        ErrorKind::Unauthorized | ErrorKind::Forbidden => ExitCode::Unauthorized,
        ErrorKind::Configuration
        | ErrorKind::InvalidRequest
        | ErrorKind::NotFound
        | ErrorKind::Rejected => ExitCode::Usage,
        ErrorKind::DeadlineExceeded => ExitCode::TimedOut,
        _ => ExitCode::Indeterminate,
    }
}
