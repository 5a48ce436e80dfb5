use std::collections::BTreeSet;
use std::time::Duration;

use checksum_api::types::{FindAffectedTestsRequest, TestId};

use crate::core::{Core, Retry};
use crate::error::Error;

/// How many files the vendor's client names in a request at most.
const MAX_FILES: usize = 1000;

/// For how long the vendor's client waits for the response.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Finds the tests that a change of these files may affect. The ids are sorted.
pub(crate) async fn affected_tests(
    core: &Core,
    changed_files: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<TestId>, Error> {
    let files: BTreeSet<String> = changed_files.into_iter().map(Into::into).collect();
    let files: Vec<String> = files.into_iter().collect();
    let time_limit = core.api().request_timeout().max(TIME_LIMIT);
    let api = core.api().with_request_timeout(time_limit);
    let mut affected = BTreeSet::new();
    for files in files.chunks(MAX_FILES) {
        let body = FindAffectedTestsRequest::new(files.to_vec());
        let find = || api.find_affected_tests().body(body.clone()).execute();
        let found = core.read(Retry::ByPolicy, find).await?;
        affected.extend(found.affected_test_ids);
    }
    Ok(affected.into_iter().collect())
}

/// The pattern that the vendor's client sends for tests: their ids, with what a regular expression
/// gives a meaning escaped.
pub(crate) fn pattern(ids: &[TestId]) -> Option<String> {
    let escaped = |id: &TestId| {
        let mut escaped = String::new();
        for character in id.as_str().chars() {
            if r".*+?^${}()|[]\".contains(character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    };
    let ids: Vec<String> = ids.iter().map(escaped).collect();
    (!ids.is_empty()).then(|| format!("({})", ids.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_ids_literally() {
        let ids = ["a.b", "c|d", "e-f"].map(|id| id.parse().expect("an id"));
        assert_eq!(pattern(&ids).as_deref(), Some(r"(a\.b|c\|d|e-f)"));
        assert_eq!(pattern(&[]), None);
    }
}
