//! The memory of this process, as Linux counts it.

use std::io::{Error, Result};

/// Returns the highest resident memory so far, in bytes.
///
/// # Errors
///
/// The system is not Linux.
pub fn highest() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let bytes = kibibytes.map(|kibibytes| kibibytes * 1024);
    bytes.ok_or_else(|| Error::other("no VmHWM"))
}
