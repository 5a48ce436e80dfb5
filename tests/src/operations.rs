//! Every operation of the raw client, called with what it needs and no more.

use checksum_api::{Client, Error, types};
use serde::Serialize;
use serde_json::Value;

/// Calls an operation by its operationId, and gives its answer as the client encodes it again.
///
/// # Errors
///
/// Whatever the call fails with.
///
/// # Panics
///
/// There is no such operation.
pub async fn call(client: &Client, operation: &str) -> Result<Value, Error> {
    macro_rules! call {
        ($name:ident $(. $setter:ident($value:expr))*) => {
            encoded(client.call(|client| async move {
                client.$name()$(.$setter($value))*.send().await
            }).await?)
        };
    }
    Ok(match operation {
        "get_project" => call!(get_project),
        "run_suite" => call!(run_suite),
        "run_collection" => call!(run_collection.id("collection-abc-123")),
        "run_tests" => call!(run_tests.body(types::RunTestsRequest {
            test_ids: vec![identifier("id1")],
            auto_heal: None,
        })),
        "run_grep" => call!(run_grep.body_map(|body| body.grep("checkout"))),
        "run_grep_v2" => call!(run_grep_v2.body_map(|body| body.grep("checkout"))),
        "get_run_status" => call!(get_run_status.job_name("job-name-12345")),
        "get_run_status_v2" => call!(get_run_status_v2.job_name("job-name-12345")),
        "get_test_run_results" => call!(get_test_run_results.id("run-id")),
        "get_test_run_report" => call!(get_test_run_report.id("run-id")),
        "get_test_attachments" => {
            call!(
                get_test_attachments
                    .run_id("run-id")
                    .test_id("test-def-456")
            )
        }
        "get_latest_test_run" => call!(get_latest_test_run),
        "trigger_auto_heal" => {
            call!(
                trigger_auto_heal.body_map(|body| body.test_run_id("run-id").auto_create_pr(false))
            )
        }
        "get_heal_batch" => call!(get_heal_batch.batch_id("batch-xyz-789")),
        "trigger_auto_generate" => call!(trigger_auto_generate.body_map(|body| {
            body.pr_number(types::PrNumber(std::num::NonZeroU64::MIN))
                .repo_name("acme-co/webapp")
                .branch("feature")
        })),
        "get_generation_batch" => call!(get_generation_batch.batch_id("batch-abc")),
        "list_bugs" => call!(list_bugs),
        other => panic!("no operation `{other}`"),
    })
}

fn identifier<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn encoded(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
