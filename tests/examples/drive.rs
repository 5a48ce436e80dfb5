//! Calls every operation through the raw client with all options, in the order of a user's day. A
//! response that is rejected or cannot be decoded is an error.
//!
//! ```text
//! cargo run -p checksum-tests --example drive -- --base-url http://127.0.0.1:4010
//! ```
//!
//! Each request uses the ids that earlier responses contained, and otherwise those of the
//! document's examples. The API key is not a real one.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use checksum_api::{ApiKey, Client, OperationId};
use checksum_tests::operations::Inputs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let base_url = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--base-url"), Some(url)) => url,
        _ => return Err("usage: drive --base-url URL".into()),
    };
    let client = Client::builder(ApiKey::new("conformance-key")?)
        .base_url(base_url.parse()?)
        .build()?;
    let mut inputs = Inputs::documented_with_options();
    for operation in OperationId::ALL {
        let response = inputs.call(&client, *operation).await?;
        inputs.learn(*operation, &response);
        writeln!(std::io::stdout(), "decoded {operation}")?;
    }
    Ok(())
}
