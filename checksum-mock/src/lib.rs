#![doc = include_str!("../README.md")]

mod clock;
mod fault;
mod mock;
mod operations;
mod routes;
mod script;
mod server;
mod state;

pub use clock::Clock;
pub use fault::Fault;
pub use mock::{Mock, MockBuilder, MockError};
pub use script::{BatchScript, Phase, RunScript, TestScript};
pub use server::RecordedRequest;
