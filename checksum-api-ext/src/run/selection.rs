//! The tests that a run consists of.

use checksum_api::types::{CollectionId, SuiteId, TestId};

use crate::env_overrides::EnvOverrides;

/// The tests that a run consists of; see [`Checksum::run`](crate::Checksum::run).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Selection {
    /// Every test of the project.
    Suite,
    /// Every test of these suites. It must not be empty.
    ///
    /// This field of the request is not documented: it is known from the vendor's own client.
    Suites(Vec<SuiteId>),
    /// Every test of a collection.
    Collection(CollectionId),
    /// Tests by their ids. It must not be empty.
    Tests(Vec<TestId>),
    /// Tests by their names.
    Grep(Grep),
}

/// A pattern for the names of tests, and options of such a run.
///
/// ```
/// use checksum_api_ext::Grep;
///
/// let grep = Grep::new("checkout")
///     .branch("feature/preview")
///     .envs([("BASE_URL", "https://pr-42.preview.example.com")]);
/// # let _ = grep;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Grep {
    pub(super) pattern: String,
    pub(super) branch: Option<String>,
    pub(super) env: EnvOverrides,
    pub(super) shards: Option<u64>,
}

impl Grep {
    /// Selects the tests whose name contains `pattern` or matches it as a regular expression. It
    /// must not be empty.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            branch: None,
            env: EnvOverrides::default(),
            shards: None,
        }
    }

    /// Selects the tests with these ids as the vendor's own client does: by a pattern that matches
    /// each id literally. `None` if there are no ids, since an empty pattern would match every
    /// test.
    ///
    /// Unlike [`Checksum::run_tests`](crate::Checksum::run_tests), it takes a branch and
    /// environment variables.
    pub fn of_tests<'a>(ids: impl IntoIterator<Item = &'a TestId>) -> Option<Self> {
        let ids: Vec<String> = ids.into_iter().map(|id| escaped(id.as_str())).collect();
        (!ids.is_empty()).then(|| Self::new(format!("({})", ids.join("|"))))
    }

    /// Returns the pattern.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Sets the branch of your repository that the run checks out.
    ///
    /// To set the branch of the tests' repository, use
    /// [`HealOptions::target_branch`](crate::HealOptions::target_branch).
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// Sets an environment variable for this run. Its value appears in no log, error or `Debug`
    /// text.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name, value);
        self
    }

    /// Sets environment variables for this run, as [`env`](Self::env) does.
    pub fn envs<N: Into<String>, V: Into<String>>(
        self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        variables.fold(self, |grep, (name, value)| grep.env(name, value))
    }

    /// Splits the run into 2 to 40 shards that run in parallel. Such a run cannot be healed. The
    /// service gives it no job name, so it is polled by its test run id.
    ///
    /// This field of the request is not documented: it is known from the vendor's own client.
    pub fn shards(mut self, count: u64) -> Self {
        self.shards = Some(count);
        self
    }
}

/// Escapes the characters that have a meaning in a regular expression.
fn escaped(id: &str) -> String {
    let mut escaped = String::new();
    for character in id.chars() {
        if r".*+?^${}()|[]\".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

impl From<&str> for Grep {
    fn from(pattern: &str) -> Self {
        Self::new(pattern)
    }
}

impl From<&String> for Grep {
    fn from(pattern: &String) -> Self {
        Self::new(pattern)
    }
}

impl From<String> for Grep {
    fn from(pattern: String) -> Self {
        Self::new(pattern)
    }
}

impl From<Grep> for Selection {
    fn from(grep: Grep) -> Self {
        Self::Grep(grep)
    }
}

impl From<CollectionId> for Selection {
    fn from(id: CollectionId) -> Self {
        Self::Collection(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_tests_matches_their_ids_literally() {
        let ids = ["a.b", "c|d", "e-f"].map(|id| id.parse().expect("an id"));
        let grep = Grep::of_tests(&ids).expect("a pattern");
        assert_eq!(grep.pattern, r"(a\.b|c\|d|e-f)");
        assert!(Grep::of_tests(&[]).is_none());
    }
}
