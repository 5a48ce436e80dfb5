//! `checksum schema`: prints the JSON Schema of the output.

use crate::exit_code::ExitCode;
use crate::json;
use crate::output::stdout::Output;

pub(super) fn execute(output: &mut Output) -> ExitCode {
    output.page(&format!("{:#}", json::schema().as_value()));
    ExitCode::Pass
}
