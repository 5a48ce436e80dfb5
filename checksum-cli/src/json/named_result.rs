//! The JSON form of one result among several.

use checksum_api_ext::Handle;
use schemars::JsonSchema;
use serde::Serialize;

use super::batch::BatchResult;
use super::run::RunResult;
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// The result of one of several runs and batches.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedResult {
    /// The key of the run or batch, such as `run:job-name-12345`.
    key: String,
    handle: Handle,
    #[serde(flatten)]
    pub(crate) result: WorkResult,
}

/// The result of a run or a batch, or why there is none.
#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum WorkResult {
    Run(RunResult),
    Batch(BatchResult),
    /// Why there is no result.
    Error {
        /// What happened, in one word, such as `timed-out`.
        reason: &'static str,
        error: String,
        /// The exit code of a command that waits for this alone.
        exit_code: u8,
    },
}

impl WorkResult {
    /// Returns the result of work that was not waited for until its end.
    pub(crate) fn error(error: &CliError) -> Self {
        let code = ExitCode::from(error);
        Self::Error {
            reason: code.word(),
            error: error.to_string(),
            exit_code: code as u8,
        }
    }
}

impl NamedResult {
    pub(crate) fn new(handle: &Handle, result: WorkResult) -> Self {
        Self {
            key: handle.to_string(),
            handle: handle.clone(),
            result,
        }
    }
}
