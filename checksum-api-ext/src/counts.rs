//! The counts of tests in a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of tests of a run, by their result. A count that the response does not have is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that failed first and passed when they were repeated.
    pub recovered: u64,
    /// Tests whose failure is a bug of the application.
    pub bug: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} passed, {} failed, {} recovered, {} bug",
            self.passed, self.failed, self.recovered, self.bug
        )
    }
}
