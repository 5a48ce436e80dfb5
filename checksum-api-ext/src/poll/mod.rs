mod event;
mod pace;
mod policy;
mod pollable;
mod progress;
mod watch;

pub use event::{Event, Trouble};
pub(crate) use pace::{Pace, Pacer, scaled};
pub use policy::PollPolicy;
pub(crate) use pollable::{Ended, Pollable};
pub(crate) use progress::{PollPlan, Progress, Seen};
pub(crate) use watch::Watch;
