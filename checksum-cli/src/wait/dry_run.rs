//! The request that a command would send, shown and not sent.

use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::Checksum;

use crate::args::Connection;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{DryRunRequest, Message};
use crate::output::stdout::Output;
use crate::wait::start::{Prepared, nothing_to_run};

/// Lets the command make its request, and shows it.
pub(crate) async fn execute<W>(
    connection: &Connection,
    prepare: impl AsyncFnOnce(&Checksum) -> Result<Option<Prepared<W>>, CliError>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let made = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&made);
    let transport = move |request: reqwest::Request| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(DryRunRequest::of(&request));
        async { Ok(http::Response::new("").into()) }
    };
    let checksum = client::keyless(connection, transport)?;
    let ended = match prepare(&checksum).await {
        Ok(Some(prepared)) => prepared.start().await.map(drop),
        Ok(None) => return Ok(nothing_to_run(output)),
        Err(failure) => Err(failure),
    };
    let request = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (request, ended) {
        (Some(request), _) => {
            output.result(&request, &Message::Request(&request));
            Ok(ExitCode::Pass)
        }
        (None, Err(failure)) => Err(failure),
        (None, Ok(_)) => unreachable!("nothing can be started without a request"),
    }
}
