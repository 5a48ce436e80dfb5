//! What a command is about to start.

use std::pin::Pin;

use checksum_api_ext::{Error, Intent};

use crate::error::CliError;
use crate::wait::work::Work;

/// A valid request that starts work, not sent yet.
pub(crate) struct StartRequest {
    pub(crate) intent: Intent,
    pub(crate) send: Pin<Box<dyn Future<Output = Result<Work, Error>>>>,
}

/// What has to be done to start work.
pub(crate) enum Plan<'a> {
    Send(StartRequest),
    /// Asks the service first what to start; there may be nothing.
    LookUp(Pin<Box<dyn Future<Output = Result<Option<StartRequest>, CliError>> + 'a>>),
}
