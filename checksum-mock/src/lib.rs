//! A stand-in for the Checksum service, for tests and demonstrations.
//!
//! It keeps state as the service does: a run is queued, runs and comes to the end that a script
//! gives it; its results, attachments and healing follow from what was run. It speaks the 17
//! operations of the API's description and refuses what a strict service would refuse.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use checksum_mock::{Fault, Mock, RunScript};
//!
//! let mock = Mock::start().await?;
//! mock.next_run(RunScript::new().queued(1).running(3).fails(["test-def-456"]));
//! mock.fault(Fault::status(503).header("retry-after", "2").on("get_run_status"));
//!
//! println!("serving {}", mock.url());
//! assert!(mock.requests().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Any non-empty key is accepted unless [`MockBuilder::api_key`] names one. Requests are recorded
//! with their key replaced by `***`.

mod answer;
mod api_key;
mod batch;
mod call;
mod catalogue;
mod clock;
mod fault;
mod files;
mod handlers;
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

pub use batch::{BatchScript, GenerationScript, HealScript};
pub use clock::Clock;
pub use fault::Fault;
pub use mock::{Mock, MockBuilder, MockError};
pub use progress::Phase;
pub use recorded_request::RecordedRequest;
pub use route::{ROUTES, Route};
pub use run_script::{RunScript, TestScript};
