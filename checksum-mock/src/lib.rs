//! A stand-in for the Checksum service, for tests and demonstrations.
//!
//! It keeps state as the service does: a run is queued, runs and comes to the end that a script
//! gives it; its results, attachments and healing follow from what was run. It serves the operations
//! of the API's description ([`ROUTES`]) and rejects what a strict service would reject.
//!
//! Start it, tell it what is to happen, and give its address to the client under test:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use checksum_mock::{Fault, Mock, RunScript};
//!
//! let mock = Mock::start().await?;
//! mock.next_run(RunScript::new().queued(1).running(3).fail_tests(["test-def-456"]));
//! mock.fault(Fault::status(503).header("retry-after", "2").on_operation("get_run_status"));
//!
//! println!("serving {}", mock.url());
//! assert!(mock.requests().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Runs and batches move on by looks, as above, or by time on a [`Clock`] that is real, scaled or
//! moved by hand. Under tokio's paused time a socket is undependable; [`Mock::router`] is the same
//! service without one:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::body::Body;
//! use checksum_mock::{Clock, Mock};
//! use tower::ServiceExt;
//!
//! let mock = Mock::builder().clock(Clock::manual()).without_socket();
//! let request = http::Request::post("/public-api/v1/execution/suite")
//!     .header("authorization", "Bearer any-key")
//!     .body(Body::empty())?;
//! let response = mock.router().oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(mock.requests()[0].operation_id, Some("run_suite"));
//! # Ok(())
//! # }
//! ```
//!
//! Any non-empty key is accepted unless [`MockBuilder::api_key`] names one. Requests are recorded
//! with their key replaced by `***`. Nothing is random: the same requests in the same order get the
//! same answers, ids included.
//!
//! # What is observed and not documented
//!
//! Some of what the live service does is known from its vendor's clients alone. A stand-in with
//! [`MockBuilder::observed`] does it too, so that those clients run against it unchanged: it accepts
//! the key as `ChecksumAppCode`, returns the test run id when a run starts, judges each run by that
//! id (`get_run_status_by_run_id`), splits runs into shards, and finds the tests that a change
//! affects (`find_affected_tests`). Its verdict and a run's state can differ, as they do there:
//!
//! | the run | state | verdict | script |
//! | --- | --- | --- | --- |
//! | selects no test | `passed`, all counts 0 | `fail` | `.tests([])`, or a selection that matches nothing |
//! | loses a shard | `passed` | `fail` | [`lost_shards`](RunScript::lost_shards) with `shardCount` or [`sharded`](RunScript::sharded) |
//! | waits for its merged report | `passed`, counts | `pending` | [`merging`](RunScript::merging) |
//!
//! Without it, a stand-in is a service that is only documented: it responds with 404 to both
//! operations, and the documented ones return the documented fields.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use checksum_mock::{Mock, RunScript};
//!
//! let mock = Mock::builder().observed().start().await?;
//! mock.affect(["test-abc-123"]);
//! mock.next_run(RunScript::new().sharded(true).lost_shards(1));
//! println!("serving {}", mock.url());
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! A stand-in can serve for days. It keeps the latest requests and runs, and forgets the rest; a
//! route responds with 404 where it has forgotten a run or batch. It closes connections on which
//! no request arrives in time, and those that have been idle longest where there are too many.
//!
//! | limit | default | set by |
//! | --- | --- | --- |
//! | recorded requests | 10,000 | [`MockBuilder::max_recorded_requests`] |
//! | runs that have ended, and batches of each kind that have ended | 10,000 | [`MockBuilder::max_finished_runs`] |
//! | memory for recorded requests, for runs, and for batches of each kind | 64 MiB each | [`MockBuilder::max_recorded_bytes`] |
//! | time for a request's head, and for its body | 30 s each | [`MockBuilder::request_timeout`] |
//! | connections at a time | 4,096 | [`MockBuilder::max_connections`] |
//! | a request's body | 2 MiB | |
//!
//! # The project that it serves
//!
//! Six tests, among them the description's `test-abc-123` and `test-def-456`; the collections
//! `collection-abc-123` (Checkout) and `collection-def-456` (Account); five bugs. The errors'
//! bodies, `{"message": …}` with a `path` where a member of the request is at fault, and the
//! answers that the description names without showing their form are this crate's own guess.

mod answer;
mod api_key;
mod batch;
mod call;
mod catalogue;
mod clock;
mod fault;
mod files;
mod handlers;
mod kept;
mod mock;
mod progress;
mod record;
mod recorded_request;
mod route;
mod run;
mod run_script;
mod server;
mod service;
mod state;

pub use batch::BatchScript;
pub use clock::Clock;
pub use fault::Fault;
pub use mock::{Mock, MockBuilder, MockError};
pub use progress::Phase;
pub use recorded_request::RecordedRequest;
pub use route::{ROUTES, Route};
pub use run_script::{RunScript, TestScript};
