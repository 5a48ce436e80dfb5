//! Calls every operation through the raw client, one after the other, as a user's day goes; an
//! answer that is refused or cannot be decoded ends it with an error.
//!
//! ```text
//! cargo run -p checksum-tests --example drive -- --base-url http://127.0.0.1:4010
//! ```
//!
//! What an answer names, the next request asks for; where it names nothing, as the document's
//! examples may, the document's own example is asked for. The key is no real one.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use checksum_api::{ApiKey, Client, OperationId};
use checksum_tests::operations::Session;

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
    let mut session = Session::documented()?;
    for operation in OperationId::ALL {
        session.call(&client, *operation).await?;
        writeln!(std::io::stdout(), "decoded {operation}")?;
    }
    Ok(())
}
