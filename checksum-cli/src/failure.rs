use std::path::PathBuf;
use std::time::Duration;

use checksum_api_ext::{
    ConfigurationError, Error, ErrorKind, Handle, Intent, ParseApiKeyError, ParseBaseUrlError,
    Started,
};
use checksum_mock::MockError;

use crate::arguments::VariableError;
use crate::commands::ChangedFilesError;
use crate::exit_code::ExitCode;
use crate::interruption::Signal;
use crate::way_back;

/// What to do when the service refuses.
pub(crate) const CHECK_THE_KEY: &str =
    "check the API key: Settings, Project Settings in the dashboard";

/// Why the command ends without a verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
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
    #[error(transparent)]
    ChangedFiles(ChangedFilesError),
    #[error(
        "the affected tests were not known within {}; nothing was started",
        humantime::format_duration(*after)
    )]
    AffectedTimedOut { after: Duration },
    #[error(transparent)]
    Variable(#[from] VariableError),
    #[error("--run-id-file {}: {error}", path.display())]
    RunIdFile {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "--run-id-file {}: {intent} may have started; the command that sent it ended before it \
         knew, so that there is nothing to wait for",
        path.display()
    )]
    MayHaveStarted { path: PathBuf, intent: Intent },
    #[error(
        "--run-id-file {}: {} was not started; start it again",
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

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Request(error) | Self::Start(error) | Self::Wait { error, .. } => of_error(error),
            Self::MayHaveStarted { .. } | Self::AffectedTimedOut { .. } => ExitCode::Unknown,
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
            Self::Request(error) | Self::Start(error) if error.is_refused() => Some(key.to_owned()),
            Self::Wait { handle, error } if error.is_refused() => {
                Some(format!("{key}; then {}", way_back::hint(handle)))
            }
            Self::InterruptedStart { .. } | Self::MayHaveStarted { .. } => {
                Some("look at the dashboard before you start it again".to_owned())
            }
            _ => self.handle().map(way_back::hint),
        }
    }
}

fn noun(handle: &Handle) -> &'static str {
    match handle {
        Handle::Run(_) => "run",
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => "batch",
    }
}

pub(crate) fn of_error(error: &Error) -> ExitCode {
    match error {
        Error::Configuration(_) | Error::Invalid(_) => ExitCode::Usage,
        Error::WaitTimedOut { .. } => ExitCode::TimedOut,
        Error::Request(request) => of_request(request),
        _ => ExitCode::Unknown,
    }
}

/// What a failed request, which started nothing, ends the command with.
pub(crate) fn of_request(request: &checksum_api::Error) -> ExitCode {
    match request.kind() {
        ErrorKind::Unauthorized | ErrorKind::Forbidden => ExitCode::Refused,
        ErrorKind::InvalidRequest | ErrorKind::NotFound => ExitCode::Usage,
        ErrorKind::Rejected if !request.is_transient() => ExitCode::Usage,
        _ => ExitCode::Unknown,
    }
}
