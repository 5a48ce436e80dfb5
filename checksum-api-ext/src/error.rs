use std::path::PathBuf;
use std::time::Duration;

use checksum_api::{ErrorKind, OperationId, Redactor};
use serde_json::Value;

use crate::ConfigurationError;

/// What can go wrong between asking and knowing. Each message is complete: what it tells of a cause
/// is not told again by [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The service would refuse this, so it was not sent.
    #[error("not sent: {0}")]
    Invalid(InvalidRequest),
    /// A request failed, and certainly started nothing.
    #[error(transparent)]
    Request(#[from] checksum_api::Error),
    /// A request that starts work failed so that the service may have acted on it. It is not sent
    /// again, since that could start the work twice.
    #[error(
        "the work may have started, and was not asked for again: {}; \
         look at the dashboard before you do",
        _0.without_advice()
    )]
    DispatchUncertain(checksum_api::Error),
    /// The service accepted a run, and its response has neither a job name nor a test run id. The run
    /// may have started, and cannot be followed.
    #[error(
        "the run may have started, and the response has neither a job name nor a test run id to \
         follow it by: {}; look at the dashboard before you start it again",
        beginning(response)
    )]
    Unidentified {
        /// The response, without the key.
        response: Box<Value>,
    },
    /// The deadline of a wait passed. The work goes on.
    #[error("{what} has not ended after {}: last seen {last_seen}; it goes on", seconds(*after))]
    WaitTimedOut {
        /// The run or batch, as in `run job-name-12345`.
        what: String,
        /// How long it was waited for.
        after: Duration,
        /// The last state that was seen, `nothing` where there was none.
        last_seen: String,
    },
    /// Looking failed for longer than the wait bears. What became of the work is not known.
    #[error(
        "gave up on {what} after {} of trouble; its outcome is unknown: {last_failure}",
        seconds(*after)
    )]
    GaveUp {
        /// The run or batch, as in `run job-name-12345`.
        what: String,
        /// How long every look had failed.
        after: Duration,
        /// Why the last look failed.
        last_failure: checksum_api::Error,
    },
    /// The service answered, and not with what was asked for. The API's description does not show
    /// the form of this answer.
    #[error("{operation}: the answer has {missing}: {}", beginning(answer))]
    UnexpectedAnswer {
        /// The operation that was called, by its operationId.
        operation: &'static str,
        /// What it lacks, as in `no address`.
        missing: &'static str,
        /// The answer as it came.
        answer: Box<Value>,
    },
    /// A file is larger than the download's limit. Nothing was kept of it.
    #[error("{name} is larger than {limit} bytes")]
    FileTooLarge {
        /// The file.
        name: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The response to the request for a file was a success and does not hold the file. Nothing
    /// was written.
    #[error("{name} was not saved: GET {url}: {reason}")]
    UnfitFile {
        /// The file.
        name: String,
        /// Its address, without what may grant access.
        url: String,
        /// What the response was.
        reason: String,
    },
    /// A file ended before it was complete, and did so again when it was asked for again. Nothing
    /// was kept of it.
    #[error("{name} ended after {bytes} bytes, before it was complete")]
    FileCutShort {
        /// The file.
        name: String,
        /// How much of it there was.
        bytes: u64,
    },
    /// A file could not be written.
    #[error("cannot write {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: std::io::Error,
    },
}

/// A request that the service's description says will be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// A run is split into 2 to 40 shards.
    #[error("a run is split into 2 to 40 shards")]
    ShardCount,
    /// The service does not heal a run that is split.
    #[error("a run cannot be split into shards and healed; leave one of the two out")]
    ShardsAndHealing,
    /// A run of tests needs at least one id.
    #[error("no test ids were given")]
    NoTestIds,
    /// A grep needs a pattern.
    #[error("the grep pattern is empty")]
    EmptyGrep,
    /// A pull request is created, or one is named, and nobody said in which repository.
    #[error("healing that creates or names a pull request needs the repository")]
    NoRepository,
    /// Pull requests are numbered from 1.
    #[error("a pull request's number is 1 or more")]
    PrNumber,
    /// Tests are generated for the changes of a branch.
    #[error("generation needs the branch of the pull request")]
    NoBranch,
    /// A branch that is given has a name. An empty one often is a variable that is not set.
    #[error("the branch is empty; leave it out, or name one")]
    EmptyBranch,
    /// Generation takes the repository with its owner.
    #[error("generation needs the repository as OWNER/REPO")]
    NoOwner,
    /// Healing takes a test run's id, which the run's end did not make known.
    #[error("the run's test run id is not known, and healing needs it")]
    NoTestRun,
}

/// Whether work has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It has not: the request was not sent, or the service refused it.
    No,
    /// It may have: the service may have acted on the request, and its response did not arrive or
    /// cannot be read. Starting it again could start it twice.
    Maybe,
    /// It has.
    Yes,
}

impl Error {
    /// For a call that starts work: whether it failed so that the work may be under way.
    pub(crate) fn dispatch(error: checksum_api::Error) -> Self {
        if error.may_have_taken_effect() {
            Self::DispatchUncertain(error)
        } else {
            Self::Request(error)
        }
    }

    pub(crate) fn unexpected(
        operation: &'static str,
        missing: &'static str,
        answer: Value,
    ) -> Self {
        Self::UnexpectedAnswer {
            operation,
            missing,
            answer: Box::new(answer),
        }
    }

    /// Without the key, should the answer have repeated it.
    pub(crate) fn without_key(self, client: &checksum_api::Client) -> Self {
        self.redacted(&|text| client.redact(text).into_owned())
    }

    /// Without the secrets of the request, should the answer have repeated them.
    pub(crate) fn without(self, secrets: &Redactor) -> Self {
        self.redacted(&|text| secrets.redact(text).into_owned())
    }

    fn redacted(mut self, redacted: &dyn Fn(&str) -> String) -> Self {
        if let Self::UnexpectedAnswer { answer, .. } | Self::Unidentified { response: answer } =
            &mut self
        {
            redact(answer, redacted);
        }
        self
    }

    /// The answer, where one came that this version can make nothing of.
    pub fn answer(&self) -> Option<&Value> {
        match self {
            Self::UnexpectedAnswer { answer, .. } => Some(answer),
            Self::Unidentified { response } => Some(response),
            _ => None,
        }
    }

    /// The failed request, where there was one.
    pub fn request(&self) -> Option<&checksum_api::Error> {
        match self {
            Self::Request(error)
            | Self::DispatchUncertain(error)
            | Self::GaveUp {
                last_failure: error,
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// Whether the service refused the key: 401 or 403.
    pub fn is_refused(&self) -> bool {
        self.is_kind(ErrorKind::Unauthorized) || self.is_kind(ErrorKind::Forbidden)
    }

    /// Whether the service does not know the run, batch or collection.
    pub fn is_not_found(&self) -> bool {
        self.is_kind(ErrorKind::NotFound)
    }

    /// Whether a wait's deadline passed. The work goes on; resume it from its handle.
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::WaitTimedOut { .. })
    }

    /// Whether the work may be under way although the call that starts it failed.
    pub fn is_dispatch_uncertain(&self) -> bool {
        self.started() == Started::Maybe
    }

    /// Whether the work that a failed call was to start has started. For the error of a wait the
    /// answer is yes. For a request that starts nothing it is no.
    pub fn started(&self) -> Started {
        match self {
            Self::DispatchUncertain(_) | Self::Unidentified { .. } => Started::Maybe,
            Self::WaitTimedOut { .. } | Self::GaveUp { .. } => Started::Yes,
            Self::Request(error) if is_of_a_wait(error) => Started::Yes,
            Self::UnexpectedAnswer { operation, .. }
                if *operation == OperationId::GetRunStatusByRunId.as_str() =>
            {
                Started::Yes
            }
            _ => Started::No,
        }
    }

    fn is_kind(&self, kind: ErrorKind) -> bool {
        self.request().is_some_and(|error| error.kind() == kind)
    }
}

/// Whether it is a poll that failed, so that there is something to poll.
fn is_of_a_wait(error: &checksum_api::Error) -> bool {
    use OperationId::{GetGenerationBatch, GetHealBatch, GetRunStatus, GetRunStatusByRunId};
    error.operation().is_some_and(|operation| {
        matches!(
            operation.id,
            GetRunStatus
                | OperationId::GetRunStatusV2
                | GetRunStatusByRunId
                | GetHealBatch
                | GetGenerationBatch
        )
    })
}

fn redact(value: &mut Value, redacted: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = redacted(text),
        Value::Array(list) => list.iter_mut().for_each(|value| redact(value, redacted)),
        Value::Object(members) => {
            let named = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    redact(&mut value, redacted);
                    (redacted(&name), value)
                });
            *members = named.collect();
        }
        _ => {}
    }
}

/// As much of an answer as a message should repeat, on one line.
fn beginning(answer: &Value) -> String {
    let text = answer.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds => format!("{seconds} s"),
    }
}
