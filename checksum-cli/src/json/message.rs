//! The lines of `--output json` and `--output ndjson`.

use checksum_api_ext::{
    BatchId, BatchSession, BatchState, Bug, Counts, DownloadedFile, Handle, HtmlReport, JobName,
    LatestTestRun, Project, RunState, SessionId, TestId, TestRunId, TestRunResults,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::attachment::{Artifacts, ListedAttachment, UnlistedTest};
use super::batch::BatchResult;
use super::dry_run_request::DryRunRequest;
use super::named_result::{NamedResult, WorkResult};
use super::run::RunResult;

/// The version of the form. Types and fields may be added to it; any other change needs another
/// version.
const VERSION: u8 = 1;

/// A line of standard output, with `--output json` or `--output ndjson`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "checksum --output json")]
pub(crate) struct Line<'a> {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    version: u8,
    /// The key of the run or batch that the line is about, such as `run:job-name-12345`, in an event
    /// of a command that waits for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(flatten)]
    message: &'a Message<'a>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(key: Option<&'a str>, message: &'a Message<'a>) -> Self {
        Self {
            version: VERSION,
            key,
            message,
        }
    }
}

/// The content of a line; `type` names it.
///
/// Data from the service is nested under a field of its own, so that no field of it can be mistaken
/// for one of this command.
#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Message<'a> {
    /// The service accepted a run.
    RunStarted {
        /// Null for a sharded run, which has only a test run id.
        job_name: Option<&'a JobName>,
        test_run_id: Option<&'a TestRunId>,
        /// The run's page in the web app.
        test_run_url: Option<String>,
        handle: Handle,
    },
    /// No test is affected by the changed files, so nothing was started.
    NothingToRun {},
    /// The service accepted a healing.
    HealStarted {
        batch_id: &'a BatchId,
        handle: Handle,
        session_ids: &'a [SessionId],
        test_ids: &'a [TestId],
        /// How many failures the service accepted, if the response says so.
        failure_count: Option<u64>,
    },
    /// The service accepted a generation.
    GenerationStarted {
        batch_id: &'a BatchId,
        handle: Handle,
        session_id: Option<&'a SessionId>,
        /// The session's page in the web app.
        session_url: Option<&'a str>,
    },
    /// The state or the counts of a run changed since the last poll.
    RunChanged {
        state: &'a RunState,
        counts: Option<Counts>,
    },
    /// The state of a batch changed since the last poll.
    BatchChanged { state: &'a BatchState },
    /// A session of a batch is new or changed since the last poll.
    SessionChanged { session: &'a BatchSession },
    /// A poll failed with a transient error; the wait goes on.
    PollFailed {
        /// What failed, for which request, and whether it is retryable.
        error: String,
        /// How long every poll has failed so far, in seconds.
        failing_for_seconds: u64,
        next_poll_in_seconds: u64,
    },
    /// A poll succeeded after polls that failed.
    PollRecovered { after_seconds: u64 },
    /// The status of a run, with its verdict if it ended.
    Run(&'a RunResult),
    /// The result of a batch.
    Batch(&'a BatchResult),
    /// The results of several runs and batches, in the order in which they were named.
    Runs {
        runs: &'a [NamedResult],
        /// Starts in the list that have no name: of each it is unknown whether it happened, or known
        /// that it did not.
        unnamed: &'a [WorkResult],
        /// The exit code of the command: the worst of them.
        exit_code: u8,
    },
    /// The request that `--dry-run` did not send.
    Request(&'a DryRunRequest),
    /// The project that the API key belongs to.
    Project { project: &'a Project },
    /// The result of each test of a run.
    Results {
        results: &'a TestRunResults,
        /// The run's page in the web app.
        test_run_url: Option<String>,
        /// The downloaded attachments; null without `--artifacts`.
        artifacts: Option<&'a Artifacts>,
    },
    /// The URL of a run's HTML report.
    Report {
        #[serde(flatten)]
        report: &'a HtmlReport,
        /// The downloaded file, with `--download`.
        saved: Option<&'a DownloadedFile>,
    },
    /// An attachment, after its download with `--download`.
    Attachment(&'a ListedAttachment),
    /// The attachments of a test could not be listed.
    AttachmentsUnknown(&'a UnlistedTest),
    /// All requested attachments.
    Attachments {
        #[serde(flatten)]
        artifacts: &'a Artifacts,
        /// The exit code of the command.
        exit_code: u8,
    },
    /// The project's most recent run.
    Latest {
        #[serde(flatten)]
        latest: &'a LatestTestRun,
        /// The run's page in the web app.
        test_run_url: Option<String>,
    },
    /// A bug of the application.
    Bug(&'a Bug),
    /// All requested bugs.
    Bugs {
        bugs: &'a [Bug],
        /// Whether there may be more: with `--limit`, whether the service has other pages;
        /// otherwise, whether the list may be incomplete.
        may_have_more: bool,
    },
    /// The mock server is ready.
    Mock { url: &'a str },
    /// Why there is no result.
    Error {
        /// What failed, for which request, and whether it is retryable.
        error: &'a str,
        /// The work that goes on in the service; `checksum wait` resumes it.
        handle: Option<&'a Handle>,
        /// The page of that work's run in the web app.
        test_run_url: Option<String>,
        /// Whether the command started work: `no`, `maybe` or `yes`. Null for a command that starts
        /// none.
        started: Option<&'static str>,
        /// The exit code of the command.
        exit_code: u8,
    },
}
