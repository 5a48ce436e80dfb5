//! What the mock server costs, beside Prism and wiremock, and a large download beside curl.

use anyhow::Result;

use super::Bench;

pub(super) fn measure(_: &mut Bench) -> Result<String> {
    Ok(String::new())
}
