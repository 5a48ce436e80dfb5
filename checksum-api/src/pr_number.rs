//! The number of a pull request.

use std::num::NonZeroU64;

use crate::decode::identifier::ParseIdError;
use crate::generated::types::PrNumber;

impl PrNumber {
    /// Creates the number of a pull request.
    ///
    /// # Errors
    ///
    /// `number` is 0: pull requests are numbered from 1.
    pub fn new(number: u64) -> Result<Self, ParseIdError> {
        NonZeroU64::new(number)
            .map(Self)
            .ok_or(ParseIdError::new("PrNumber", "it is 0"))
    }
}
