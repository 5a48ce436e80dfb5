//! The target of this crate's `tracing` events.

/// The target of the events. It does not change when code moves between modules.
pub(crate) const TARGET: &str = "checksum_api_ext";
