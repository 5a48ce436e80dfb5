//! Waits for work in the service by polling it. Runs, batches and sets of both use the same loop.

mod backoff;
#[cfg(test)]
mod cost;
mod event;
mod events;
mod expected;
mod in_flight;
mod policy;
mod pollable;
mod poller;
mod schedule;
mod state;
mod throttle;
mod works;

pub(crate) use backoff::scaled;
pub use event::{Event, PollFailure};
pub use events::Events;
pub use policy::PollPolicy;
pub(crate) use pollable::{Pollable, Status, Terminal};
pub(crate) use poller::{Poller, until_done};
