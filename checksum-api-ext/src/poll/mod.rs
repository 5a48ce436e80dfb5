mod event;
mod pace;
mod policy;
mod watch;

pub use event::{Event, Trouble};
pub use policy::PollPolicy;
pub(crate) use watch::{Pollable, Watch};
