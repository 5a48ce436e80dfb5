//! Watches many runs and batches by one stream.

mod handle;
mod set;
mod work;

pub use handle::Handle;
pub use set::{WatchSet, WatchSetAdder};
pub use work::{WatchEvent, WatchReport, WatchStatus};
