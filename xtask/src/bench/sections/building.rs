//! What building a dependent costs, beside one of reqwest alone.

use anyhow::Result;

use super::Bench;

pub(super) fn measure(_: &mut Bench) -> Result<String> {
    Ok(String::new())
}
