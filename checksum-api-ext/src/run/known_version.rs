//! Which version of the status route a run is polled by.

use std::sync::atomic::{AtomicBool, Ordering};

use super::handle::{ApiVersion, RunHandle};

/// The status route that responded last.
#[derive(Debug)]
pub(super) struct KnownVersion(AtomicBool);

impl KnownVersion {
    /// Without a version in the handle, v2 is tried first.
    pub(super) fn new(handle: &RunHandle) -> Self {
        Self(AtomicBool::new(handle.api_version == Some(ApiVersion::V1)))
    }

    pub(super) fn get(&self) -> ApiVersion {
        match self.0.load(Ordering::Relaxed) {
            true => ApiVersion::V1,
            false => ApiVersion::V2,
        }
    }

    pub(super) fn set(&self, version: ApiVersion) {
        self.0.store(version == ApiVersion::V1, Ordering::Relaxed);
    }
}
