//! Starts a run and waits for it, with checksum-api-ext.

use checksum_api_ext::{Checksum, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let checksum = Checksum::from_env()?;
    let report = checksum.run_suite().start().await?.await?;
    println!("{}: {}", report.outcome(), report.is_success());
    Ok(())
}
