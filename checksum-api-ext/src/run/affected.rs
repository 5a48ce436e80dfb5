//! Finding the tests that a change may affect.

use std::collections::BTreeSet;
use std::time::Duration;

use checksum_api::types::{FindAffectedTestsRequest, TestId};

use crate::core::{Core, Retry};
use crate::error::Error;

/// The most files that the vendor's client names in one request.
const MAX_FILES: usize = 1000;

/// How long the vendor's client waits for the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// Returns the sorted ids of the tests that a change of these files may affect.
pub(crate) async fn affected_tests(
    core: &Core,
    changed_files: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<TestId>, Error> {
    let files: BTreeSet<String> = changed_files.into_iter().map(Into::into).collect();
    let files: Vec<String> = files.into_iter().collect();
    let timeout = core.api().request_timeout().max(REQUEST_TIMEOUT);
    let api = core.api().with_request_timeout(timeout);
    let mut affected = BTreeSet::new();
    for files in files.chunks(MAX_FILES) {
        let body = FindAffectedTestsRequest::new(files.to_vec());
        let find = || api.find_affected_tests().body(body.clone()).execute();
        let found = core.read(Retry::ByPolicy, find).await?;
        affected.extend(found.affected_test_ids);
    }
    Ok(affected.into_iter().collect())
}
