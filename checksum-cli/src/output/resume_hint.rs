//! The command line that resumes a wait.

use checksum_api_ext::Handle;

use super::shell_quote::{is_plain, quote};

/// Returns what to run to wait for this work again, quoted for a shell.
pub(crate) fn resume_hint(handle: &Handle) -> String {
    let name = handle.id();
    let is_plain = is_plain(name);
    let quoted = quote(name);
    let arguments = match handle {
        Handle::Run(run) if run.job_name().is_none() => format!("--test-run={quoted}"),
        Handle::Run(run) => {
            let confirmed_by = run.test_run_id().map(|id| quote(id.as_str()));
            let confirmed_by =
                confirmed_by.map_or_else(String::new, |id| format!("--test-run={id} "));
            match is_plain {
                true => format!("{confirmed_by}{quoted}"),
                false => format!("{confirmed_by}-- {quoted}"),
            }
        }
        // A value that begins with a hyphen is a value only after `=`.
        Handle::HealBatch(_) => format!("--heal-batch={quoted}"),
        Handle::GenerationBatch(_) => format!("--generation-batch={quoted}"),
    };
    format!("resume with `checksum wait {arguments}`")
}
