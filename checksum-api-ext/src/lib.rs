//! The client of the Checksum API that people use: start a run, wait for it, know the verdict.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = checksum_mock::Mock::start().await?;
//! # let (key, url) = ("my-key", mock.url());
//! # use checksum_api_ext::PollPolicy;
//! # let poll = PollPolicy::fixed(std::time::Duration::ZERO);
//! use checksum_api_ext::{ApiKey, AutoHeal, Checksum};
//!
//! // Or `Checksum::from_env()`: CHECKSUM_API_KEY, CHECKSUM_API_BASE_URL.
//! let checksum = Checksum::builder().api_key(ApiKey::new(key)?).base_url(url.parse()?).poll_policy(poll).build()?;
//!
//! let run = checksum
//!     .run_suite()
//!     .auto_heal(AutoHeal::pull_request("acme-co/my-tests".parse()?).branch("main").pr(42))
//!     .start()
//!     .await?;
//! assert_eq!(run.job_name().map(|name| name.as_str()), Some("job-name-12345"));
//!
//! let report = run.await?;
//! assert!(report.outcome().is_success());
//! let counts = report.counts().map(|counts| counts.to_string());
//! assert_eq!(counts.as_deref(), Some("6 passed, 0 failed, 0 recovered, 0 bug"));
//! # Ok(())
//! # }
//! ```
//!
//! # Every operation
//!
//! | to | call |
//! | --- | --- |
//! | name the key's project | [`checksum.project()`](Checksum::project) |
//! | run tests | [`run_suite()`](Checksum::run_suite), [`run_collection(id)`](Checksum::run_collection), [`run_tests(ids)`](Checksum::run_tests), [`run_grep(pattern)`](Checksum::run_grep), then [`start()`](StartRun::start) |
//! | follow a run | `run.await`, [`run.events()`](Run::events), [`run.status()`](Run::status), [`checksum.resume_run(handle)`](Checksum::resume_run) |
//! | follow thousands of runs and batches | [`checksum.watch(handles)`](Checksum::watch) |
//! | wait for its healing too | [`run.wait_healed(within)`](Run::wait_healed) |
//! | read results | [`report.results()`](RunReport::results), [`checksum.test_run(id).results()`](TestRun::results) |
//! | find or save the HTML report | [`test_run.report()`](TestRun::report), [`download(path)`](HtmlReport::download) |
//! | list or save attachments | [`test_run.test(id).attachments()`](TestInRun::attachments), [`download_all(directory)`](Attachments::download_all) |
//! | name the latest run | [`checksum.latest_test_run()`](Checksum::latest_test_run) |
//! | heal | [`report.heal()`](RunReport::heal), [`checksum.heal(id)`](Checksum::heal), [`checksum.heal_batch(id)`](Checksum::heal_batch) |
//! | generate tests | [`checksum.generate(repo, pr, branch)`](Checksum::generate), [`checksum.generation_batch(id)`](Checksum::generation_batch) |
//! | list bugs | [`checksum.bugs()`](Checksum::bugs), then [`first_page()`](ListBugs::first_page) or [`stream()`](ListBugs::stream) |
//!
//! The API's description names reports, attachments, bugs and the latest run without showing the
//! answers. Their decoders take every form that a sane service could send, keep the raw JSON, and
//! give it back with the error where they can make nothing of it: [`Error::answer`].
//!
//! # What it promises
//!
//! - **A run is never started twice.** A request that starts work is repeated only where the
//!   service certainly did not act on it. [`Error::started`] says of any other failure whether the
//!   work has started: no, maybe or yes.
//! - **A run is never lost.** [`Run::handle`] is a small serde value; [`Checksum::resume_run`] takes
//!   it up in any process. Between the service's acceptance of a run and the storing of its handle
//!   a crash loses the handle: an [`Intent`] that was stored before keeps the knowledge that the run
//!   may have started. PollFailure on the network is borne for minutes and reported as
//!   [`Event::PollFailed`].
//! - **A verdict is never guessed.** Only `passed` and `healed` are a pass, whatever the counts
//!   say, and only of a run in which tests ran; a state that this version does not know is waited
//!   on, and never passes.
//! - **The key is never shown.** It goes to the configured origin alone, over https unless that is
//!   this machine. Files of other origins are got without it.
//!
//! # Features
//!
//! `rustls` (default), `native-tls` and `rustls-no-provider` choose the TLS, as [`checksum_api`]
//! describes them. None of them switches on what would change another user of reqwest in the same
//! program beyond that, and nothing is installed for the whole process.
//!
//! # What it tells `tracing`
//!
//! Each request is a span of level DEBUG, `checksum.request` or, for a download, `checksum.file`,
//! with OpenTelemetry's attributes for HTTP clients: `http.request.method`, `url.full` without what
//! grants access to a file, `url.template`, `server.address`, `server.port`,
//! `http.response.status_code`, `http.response.body.size` and `error.type`. `otel.name` is the
//! operation's name in the document. Events are of the targets `checksum_api` and
//! `checksum_api_ext`: DEBUG for each answer and each request that is sent again, WARN for trouble
//! while waiting and for an answer that had to be mended.
//!
//! # What it leaves
//!
//! The API cannot cancel a run. Dropping a [`Run`] or a wait stops the looking and nothing else.

mod batch;
mod budget;
mod bugs;
mod builder;
mod client;
mod contradiction;
mod core;
mod counts;
#[cfg(test)]
mod decoders_fuzz;
mod download;
mod env_overrides;
mod error;
mod extra_fields;
mod intent;
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
    Attachment, AttachmentKind, Attachments, HtmlReport, LatestTestRun, TestRun, TestRunResults,
};

// Files
pub use download::{Download, DownloadAll, DownloadProgress, DownloadedFile};

// Bugs
pub use bugs::{Bug, BugPage, Bugs, ListBugs, Truncation};

// The layer below
pub use ::url::Url;
pub use checksum_api as raw;
