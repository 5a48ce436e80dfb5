//! How late a policy learns of the end of a run, and how many requests it sends for that.

use anyhow::Result;

use super::Bench;

pub(super) fn measure(_: &mut Bench) -> Result<String> {
    Ok(String::new())
}
