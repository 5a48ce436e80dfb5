//! The work that a command is about to start.

use std::pin::Pin;

use checksum_api_ext::{Error, Intent};

use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stdout::Output;
use crate::wait::work::Work;

/// A valid request that starts work, not sent yet.
pub(crate) struct StartRequest {
    pub(crate) intent: Intent,
    pub(crate) send: Pin<Box<dyn Future<Output = Result<Work, Error>>>>,
}

/// The way to start work.
pub(crate) enum Plan<'a> {
    Send(StartRequest),
    /// A request has to find out first what to start; there may be nothing.
    LookUp(Pin<Box<dyn Future<Output = Result<Option<StartRequest>, CliError>> + 'a>>),
}

/// Reports that no test is affected, so there is nothing to wait for.
pub(crate) fn nothing_to_run(output: &mut Output) -> ExitCode {
    let text = "no test is affected; nothing was started";
    output.result(&text, &Message::NothingToRun {});
    ExitCode::Pass
}
