mod event;
mod handle;
mod target;
mod watch_all;

pub use event::{WorkChange, WorkEvent, WorkReport};
pub use handle::Handle;
pub use watch_all::WatchAll;
