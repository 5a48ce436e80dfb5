//! The hint after a 404: the id may be of another kind, or of another project.

use checksum_api_ext::raw::OperationId;

use crate::output::shell_quote::quote;

/// What an id names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Run,
    TestRun,
    HealBatch,
    GenerationBatch,
    /// Of a healing or of a generation.
    Batch,
    Session,
    Test,
    Collection,
}

/// Returns which kind of id the operation takes, and which command takes this one.
pub(crate) fn hint(operation: OperationId, id: &str) -> Option<String> {
    let (expected, source) = match operation {
        OperationId::GetRunStatus | OperationId::GetRunStatusV2 => {
            (Kind::Run, "`checksum run` prints it")
        }
        OperationId::GetRunStatusByRunId
        | OperationId::GetTestRunResults
        | OperationId::GetTestRunReport
        | OperationId::GetTestAttachments
        | OperationId::TriggerAutoHeal => {
            (Kind::TestRun, "the verdict of `checksum status` shows it")
        }
        OperationId::GetHealBatch => (Kind::HealBatch, "`checksum heal` prints it"),
        OperationId::GetGenerationBatch => (Kind::GenerationBatch, "`checksum generate` prints it"),
        OperationId::RunCollection => (Kind::Collection, "the dashboard shows it"),
        _ => return None,
    };
    let expected_name = name(expected);
    let quoted = quote(id);
    let usage = match guess(id) {
        Some(Kind::Batch) if expected == Kind::HealBatch => {
            format!("of a generation, it is `--generation-batch={quoted}`")
        }
        Some(Kind::Batch) if expected == Kind::GenerationBatch => {
            format!("of a healing, it is `--heal-batch={quoted}`")
        }
        Some(given) if given != expected => {
            let usage = match given {
                Kind::Run => match expected {
                    Kind::TestRun => format!("`checksum status {quoted}` shows its test run"),
                    _ => format!("use `checksum status {quoted}`"),
                },
                Kind::TestRun => format!(
                    "use `checksum results {quoted}`, or `--test-run={quoted}` with status and wait"
                ),
                Kind::Batch => format!(
                    "use `checksum wait --heal-batch={quoted}` or `--generation-batch={quoted}`"
                ),
                Kind::Test => format!("use `checksum run tests {quoted}`"),
                _ => "no command takes it; name its batch".to_owned(),
            };
            return Some(format!(
                "this takes {expected_name}, and {quoted} looks like {}: {usage}",
                name(given)
            ));
        }
        _ => "`checksum me` shows the project of the API key".to_owned(),
    };
    Some(format!("this takes {expected_name} ({source}); {usage}"))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Run => "the name of a run",
        Kind::TestRun => "the id of a test run",
        Kind::HealBatch => "the id of a healing's batch",
        Kind::GenerationBatch => "the id of a generation's batch",
        Kind::Batch => "the id of a batch",
        Kind::Session => "the id of a session",
        Kind::Test => "the id of a test",
        Kind::Collection => "the id of a collection",
    }
}

/// Returns what an id of this form names in the examples of the API's description. There are ids of
/// other forms, so an id is never rejected for its form.
fn guess(id: &str) -> Option<Kind> {
    let groups: Vec<&str> = id.split('-').collect();
    let is_hex = |group: &&str| group.chars().all(|c| c.is_ascii_hexdigit());
    if groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex) {
        return Some(Kind::TestRun);
    }
    match groups.first().filter(|_| groups.len() > 1) {
        Some(&"job") => Some(Kind::Run),
        Some(&"batch") => Some(Kind::Batch),
        Some(&"sess") => Some(Kind::Session),
        Some(&"test") => Some(Kind::Test),
        _ => None,
    }
}
