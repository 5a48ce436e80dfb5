//! Starting work, storing its handle, and waiting for it.

pub(crate) mod atomic_file;
mod dry_run;
pub(crate) mod follow;
pub(crate) mod handle_file;
pub(crate) mod plan;
pub(crate) mod several;
pub(crate) mod start;
pub(crate) mod work;
pub(crate) mod work_list;
