mod event;
mod handle;
mod target;
mod watch_all;

pub use event::{WatchEvent, WatchReport, WorkChange};
pub use handle::Handle;
pub use watch_all::WatchSet;
