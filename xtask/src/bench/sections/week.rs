//! A simulated week of runs, with faults and outages.

use anyhow::Result;

use super::Bench;

pub(super) fn measure(_: &mut Bench) -> Result<String> {
    Ok(String::new())
}
