//! The request that a command would send, shown and not sent.

use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::Checksum;

use super::dispatch::{Prepared, nothing_to_run};
use crate::arguments::Connection;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::{Message, UnsentRequest};
use crate::output::Output;

/// Lets the command make its request, and shows it.
pub(super) async fn execute<W>(
    connection: &Connection,
    prepare: impl AsyncFnOnce(&Checksum) -> Result<Option<Prepared<W>>, Failure>,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let made = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&made);
    let transport = move |request: reqwest::Request| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(UnsentRequest::of(&request));
        async { Ok(http::Response::new("").into()) }
    };
    let checksum = credentials::keyless(connection, transport)?;
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
