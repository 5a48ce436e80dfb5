use std::collections::BTreeSet;
use std::time::Duration;

use checksum_api::types::{FindAffectedTestsRequest, TestId};

use super::{Grep, StartRun};
use crate::call::Effort;
use crate::{Checksum, Error};

/// How many files the vendor's client names in a request at most.
const MAX_FILES: usize = 1000;

/// For how long the vendor's client waits for the response.
const TIME_LIMIT: Duration = Duration::from_secs(300);

impl Checksum {
    /// Finds the tests that a change may affect, from the paths of the files that changed: relative
    /// to the root of the repository, as `git diff --name-only` prints them. The ids are sorted.
    ///
    /// This operation is not documented: it is known from the vendor's own client, and a service may
    /// not have it. More than 1,000 files are sent in several requests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::builder().observed().start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .build()?;
    /// let affected = checksum.affected_tests(["src/checkout.ts"]).await?;
    /// assert!(!affected.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; [`Error::is_not_found`] where the service does not have the operation.
    pub async fn affected_tests(
        &self,
        changed_files: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<TestId>, Error> {
        let files: BTreeSet<String> = changed_files.into_iter().map(Into::into).collect();
        let files: Vec<String> = files.into_iter().collect();
        let time_limit = self.api().request_timeout().max(TIME_LIMIT);
        let api = self.api().with_request_timeout(time_limit);
        let mut affected = BTreeSet::new();
        for files in files.chunks(MAX_FILES) {
            let body = FindAffectedTestsRequest::new(files.to_vec());
            let find = || api.find_affected_tests().body(body.clone()).execute();
            let found = self.caller.read(Effort::Persistent, find).await?;
            affected.extend(found.affected_test_ids);
        }
        Ok(affected.into_iter().collect())
    }

    /// Prepares a run of the tests that a change may affect; see
    /// [`affected_tests`](Self::affected_tests). `None` if no test is affected, so that there is
    /// nothing to run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = checksum_mock::Mock::builder().observed().start().await?;
    /// # let checksum = checksum_api_ext::Checksum::builder()
    /// #     .api_key("my-key".parse()?)
    /// #     .base_url(mock.url().parse()?)
    /// #     .poll_policy(checksum_api_ext::PollPolicy::fixed(std::time::Duration::ZERO))
    /// #     .build()?;
    /// match checksum.run_affected(["src/checkout.ts"]).await? {
    ///     None => println!("no test is affected"),
    ///     Some(run) => {
    ///         let report = run.branch("feature/checkout").start().await?.await?;
    ///         assert!(report.outcome().is_success());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`affected_tests`](Self::affected_tests). Nothing was started.
    pub async fn run_affected(
        &self,
        changed_files: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Option<StartRun<Grep>>, Error> {
        let affected = self.affected_tests(changed_files).await?;
        Ok(pattern(&affected).map(|pattern| self.run_grep(pattern)))
    }
}

/// The pattern that the vendor's client sends for tests: their ids, with what a regular expression
/// gives a meaning escaped.
fn pattern(ids: &[TestId]) -> Option<String> {
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
