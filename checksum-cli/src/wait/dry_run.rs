//! `--dry-run`: shows the request that a command would send, and sends nothing.

use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::Checksum;

use crate::args::Connection;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{DryRunRequest, Message};
use crate::output::stdout::Output;
use crate::wait::plan::{Plan, nothing_to_run};

/// Lets the client make its first request, and shows it.
pub(crate) async fn execute<'a>(
    connection: &Connection,
    plan: impl FnOnce(&Checksum) -> Result<Plan<'a>, CliError>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let made = Arc::new(Mutex::new(None));
    let captured = Arc::clone(&made);
    let transport = move |request: reqwest::Request| {
        let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
        *captured = Some(DryRunRequest::from(&request));
        async { Ok(http::Response::new("").into()) }
    };
    let checksum = client::dry_run_client(connection, transport)?;
    let result = match plan(&checksum)? {
        Plan::Send(request) => request.send.await.map(drop).map_err(CliError::Start),
        Plan::LookUp(find) => find.await.map(drop),
    };
    let request = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (request, result) {
        (Some(request), _) => {
            output.result(&request, &Message::Request(&request));
            Ok(ExitCode::Pass)
        }
        (None, Err(error)) => Err(error),
        // No file changed, so nothing was requested.
        (None, Ok(())) => Ok(nothing_to_run(output)),
    }
}
