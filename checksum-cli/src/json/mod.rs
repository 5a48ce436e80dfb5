//! What programs read on standard output.

mod attachment;
mod batch;
mod dry_run_request;
mod run;
mod writer;

use checksum_api_ext::TestRunResults;
use checksum_api_ext::{
    BatchId, BatchSession, BatchState, JobName, Project, RunState, SessionId, TestId, TestRunId,
};
use checksum_api_ext::{Bug, Counts, DownloadedFile, Handle, HtmlReport, LatestTestRun};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

pub(crate) use attachment::{ListedAttachment, UnlistedTest};
pub(crate) use batch::{BatchResult, session};
pub(crate) use dry_run_request::DryRunRequest;
pub(crate) use run::RunResult;
pub(crate) use writer::to_json;

/// The version of the form. Types and members may be added to it; whatever else changes makes
/// another one.
const VERSION: u8 = 1;

/// A line of standard output, with `--output json` or `--output ndjson`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "checksum --output json")]
pub(crate) struct Line<'a> {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    version: u8,
    #[serde(flatten)]
    message: &'a Message<'a>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(message: &'a Message<'a>) -> Self {
        Self {
            version: VERSION,
            message,
        }
    }

    /// What every line keeps to.
    pub(crate) fn schema() -> Schema {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        settings
            .into_generator()
            .into_root_schema_for::<Line<'static>>()
    }
}

/// What a line tells; `type` names it.
///
/// What the service has sent stands under a name of its own, so that no member of it can be taken
/// for one of this command's.
#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Message<'a> {
    /// The service has accepted a run.
    RunStarted {
        /// Null for a sharded run, which has a test run id alone.
        job_name: Option<&'a JobName>,
        test_run_id: Option<&'a TestRunId>,
        handle: Handle,
    },
    /// No test is affected by the changed files, so that nothing was started.
    NothingToRun {},
    /// The service has accepted a healing.
    HealStarted {
        batch_id: &'a BatchId,
        handle: Handle,
        session_ids: &'a [SessionId],
        test_ids: &'a [TestId],
        /// How many failures the service has taken on, where it said so.
        failure_count: Option<u64>,
    },
    /// The service has accepted a generation.
    GenerationStarted {
        batch_id: &'a BatchId,
        handle: Handle,
        session_id: Option<&'a SessionId>,
        /// The session's page in the web app.
        session_url: Option<&'a str>,
    },
    /// A look at a run saw another state or other counts than the one before.
    RunChanged {
        state: &'a RunState,
        counts: Option<Counts>,
    },
    /// A look at a batch saw another state than the one before.
    BatchChanged { state: &'a BatchState },
    /// A look at a batch saw a session that is new or has changed.
    SessionChanged { session: &'a BatchSession },
    /// A look failed in a way that may pass; the wait goes on.
    PollFailure {
        /// What failed, on which request, and whether trying again can help.
        error: String,
    },
    /// A look succeeded again.
    Recovered { after_seconds: u64 },
    /// What is known of a run: its verdict, where it has ended.
    Run(&'a RunResult),
    /// What a batch has come to.
    Batch(&'a BatchResult),
    /// The request that would have been sent, with `--dry-run`.
    Request(&'a DryRunRequest),
    /// The project that the API key belongs to.
    Project { project: &'a Project },
    /// The result of each test of a run.
    Results { results: &'a TestRunResults },
    /// Where the HTML report of a run is.
    Report {
        #[serde(flatten)]
        report: &'a HtmlReport,
        /// Where it was downloaded to.
        saved: Option<&'a DownloadedFile>,
    },
    /// An attachment, as soon as it is known what became of it.
    Attachment(&'a ListedAttachment),
    /// The list of a test's attachments could not be read.
    AttachmentsUnknown(&'a UnlistedTest),
    /// All attachments that were asked for.
    Attachments {
        attachments: &'a [ListedAttachment],
        /// The tests of which the attachments could not be listed.
        unknown: &'a [UnlistedTest],
        /// What the command ends with.
        exit_code: u8,
    },
    /// The project's most recent run.
    Latest(&'a LatestTestRun),
    /// A bug of the application, as soon as it is known.
    Bug(&'a Bug),
    /// All bugs that were asked for.
    Bugs {
        bugs: &'a [Bug],
        /// Whether there may be more: with `--limit` where the service says that there are other
        /// pages, otherwise where the list may be incomplete.
        may_have_more: bool,
    },
    /// A stand-in of the service, which serves now.
    Mock { url: &'a str },
    /// Why there is no result.
    Error {
        /// What failed, on which request, and whether trying again can help.
        error: &'a str,
        /// What goes on in the service, and how to come back to it.
        handle: Option<&'a Handle>,
        /// Whether the work has started that the command was to start: `no`, `maybe` or `yes`. Null
        /// where it was to start none.
        started: Option<&'static str>,
        /// What the command ends with.
        exit_code: u8,
    },
}
