//! The form of a repository's name.

use crate::generated::custom::RepoName;

impl RepoName {
    /// Returns whether the name is of the form `OWNER/NAME`, which generation needs: two parts, one
    /// slash, no white space.
    ///
    /// ```
    /// use checksum_api::types::RepoName;
    ///
    /// assert!(RepoName::new("acme-co/my-tests")?.has_owner());
    /// assert!(!RepoName::new("my-tests")?.has_owner());
    /// assert!(!RepoName::new("https://github.com/acme-co/my-tests")?.has_owner());
    /// # Ok::<(), checksum_api::ParseIdError>(())
    /// ```
    pub fn has_owner(&self) -> bool {
        let is_valid =
            |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_whitespace);
        self.as_str()
            .split_once('/')
            .is_some_and(|(owner, name)| is_valid(owner) && is_valid(name) && !name.contains('/'))
    }
}
