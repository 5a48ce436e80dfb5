#![doc = include_str!("../README.md")]

mod batch;
#[cfg(feature = "blocking")]
pub mod blocking;
mod budget;
mod bugs;
mod builder;
mod client;
mod contradiction;
mod core;
mod counts;
mod download;
mod env_overrides;
mod error;
mod extra_fields;
mod intent;
mod json_redaction;
mod lenient;
mod poll;
mod retry;
mod run;
mod telemetry;
mod test_run;
mod timestamp;
mod url;
mod watch;

// Client
pub use builder::{API_KEY_ENV, BASE_URL_ENV, ChecksumBuilder};
pub use checksum_api::{
    ApiKey, ApiKeyFuture, ApiKeyProvider, BaseUrl, Transport, TransportError, TransportFuture,
};
pub use client::Checksum;
pub use poll::PollPolicy;
pub use retry::RetryPolicy;

// Errors
pub use checksum_api::{ParseApiKeyError, ParseBaseUrlError, ParseIdError};
pub use error::{Error, ErrorKind, Started};

// Values
pub use checksum_api::types::{
    BatchId, BatchSession, BatchState, BugSeverity, BugStatus, CollectionId, HealthStatus, JobName,
    PrNumber, Project, RepoName, RunState, SessionId, SessionState, SuiteId, TestId, TestResult,
    TestRunId, TestStatus, Verdict,
};

// Runs
pub use batch::HealOptions;
pub use contradiction::Contradiction;
pub use counts::Counts;
pub use intent::Intent;
pub use run::{
    ApiVersion, Grep, Outcome, Run, RunHandle, RunReport, RunStatus, Selection, StartRun,
};

// Agents
pub use batch::{
    BatchHandle, BatchStatus, GenerationBatch, HealBatch, StartGeneration, StartHealing,
};

// Waiting
pub use batch::BatchEvent;
pub use poll::{Event, Events, PollFailure};
pub use run::RunEvent;
pub use watch::{Handle, WatchEvent, WatchReport, WatchSet, WatchSetAdder, WatchStatus};

// After a run
pub use test_run::{
    Attachment, AttachmentKind, Attachments, HtmlReport, LatestTestRun, ListAttachments,
    TestAttachments, TestRun, TestRunResults,
};

// Files
pub use download::{Download, DownloadAll, DownloadProgress, DownloadedFile};

// Bugs
pub use bugs::{Bug, BugPage, Bugs, ListBugs, Truncation};

// The layer below
pub use ::url::Url;
pub use checksum_api as raw;
