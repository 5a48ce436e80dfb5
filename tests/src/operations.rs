//! Every operation of the raw client, called with what it needs and no more.

use checksum_api::{Client, Error, OperationId, types};
use serde::Serialize;
use serde_json::Value;

/// Calls an operation, and gives its response as the client encodes it again.
///
/// # Errors
///
/// Whatever the call fails with.
pub async fn call(client: &Client, operation: OperationId) -> Result<Value, Error> {
    macro_rules! call {
        ($name:ident $(. $setter:ident($value:expr))*) => {
            encoded(client.$name()$(.$setter($value))*.execute().await?)
        };
    }
    Ok(match operation {
        OperationId::GetProject => call!(get_project),
        OperationId::RunSuite => call!(run_suite),
        OperationId::RunCollection => call!(run_collection.id("collection-abc-123")),
        OperationId::RunTests => {
            call!(run_tests.body(types::RunTestsRequest::new(vec![identifier("id1")])))
        }
        OperationId::RunGrep => call!(run_grep.body_map(|body| body.grep("checkout"))),
        OperationId::RunGrepV2 => call!(run_grep_v2.body_map(|body| body.grep("checkout"))),
        OperationId::FindAffectedTests => call!(find_affected_tests.body(
            types::FindAffectedTestsRequest::new(vec!["src/cart.ts".to_owned()])
        )),
        OperationId::GetRunStatus => call!(get_run_status.job_name("job-name-12345")),
        OperationId::GetRunStatusV2 => call!(get_run_status_v2.job_name("job-name-12345")),
        OperationId::GetRunStatusByRunId => call!(get_run_status_by_run_id.run_id("run-id")),
        OperationId::GetTestRunResults => call!(get_test_run_results.id("run-id")),
        OperationId::GetTestRunReport => call!(get_test_run_report.id("run-id")),
        OperationId::GetTestAttachments => call!(
            get_test_attachments
                .run_id("run-id")
                .test_id("test-def-456")
        ),
        OperationId::GetLatestTestRun => call!(get_latest_test_run),
        OperationId::TriggerAutoHeal => call!(
            trigger_auto_heal.body_map(|body| body.test_run_id("run-id").auto_create_pr(false))
        ),
        OperationId::GetHealBatch => call!(get_heal_batch.batch_id("batch-xyz-789")),
        OperationId::TriggerAutoGenerate => call!(trigger_auto_generate.body_map(|body| {
            body.pr_number(types::PrNumber(std::num::NonZeroU64::MIN))
                .repo_name("acme-co/webapp")
                .branch("feature")
        })),
        OperationId::GetGenerationBatch => call!(get_generation_batch.batch_id("batch-abc")),
        OperationId::ListBugs => call!(list_bugs),
    })
}

fn identifier<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn encoded(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
