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

/// Returns what to run to wait for all of these again, quoted for a shell.
pub(crate) fn resume_hint_of_several(handles: &[&Handle]) -> String {
    if let [handle] = handles {
        return resume_hint(handle);
    }
    let job_name = |handle: &&Handle| match handle {
        Handle::Run(run) => run.job_name().map(ToString::to_string),
        Handle::HealBatch(_) | Handle::GenerationBatch(_) => None,
    };
    let names: Option<Vec<String>> = handles.iter().map(job_name).collect();
    let Some(names) = names else {
        let keys: Vec<String> = handles.iter().map(|key| quote(&key.to_string())).collect();
        let keys = keys.join(" ");
        return format!("resume with `printf '%s\\n' {keys} | checksum wait --from -`");
    };
    let separator = if names.iter().all(|name| is_plain(name)) {
        ""
    } else {
        "-- "
    };
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    format!("resume with `checksum wait {separator}{}`", names.join(" "))
}
