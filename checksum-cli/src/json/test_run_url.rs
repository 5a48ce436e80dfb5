//! The address of a test run's page in the web app. Not documented: known from the vendor's client.

use checksum_api_ext::{Handle, TestRun, TestRunId};

/// Returns the address for a test run's id; `None` if the id is unknown or has none.
pub(crate) fn test_run_url(id: Option<&TestRunId>) -> Option<String> {
    id.and_then(TestRun::web_url_of).map(String::from)
}

/// Returns the address for the run of a handle.
pub(crate) fn handle_url(handle: &Handle) -> Option<String> {
    match handle {
        Handle::Run(run) => test_run_url(run.test_run_id()),
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => None,
    }
}
