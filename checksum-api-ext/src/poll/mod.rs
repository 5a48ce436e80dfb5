mod event;
mod pace;
mod policy;
mod pollable;
mod progress;
mod watch;

pub use event::{Event, PollFailure};
pub(crate) use pace::{Pace, Pacer, scaled};
pub use policy::PollPolicy;
pub(crate) use pollable::{Ended, Pollable};
pub(crate) use progress::{MIN_POLL_TIME, PollPlan, Progress, Seen, was_suspended};
pub(crate) use watch::Watch;
