mod event;
mod pace;
mod policy;
mod pollable;
mod progress;
mod watch;

pub use event::{Event, Trouble};
pub(crate) use pace::{Pace, Pacer};
pub use policy::PollPolicy;
pub(crate) use pollable::Pollable;
pub(crate) use progress::{Progress, Seen};
pub(crate) use watch::Watch;
