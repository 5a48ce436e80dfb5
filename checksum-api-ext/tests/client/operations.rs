use std::collections::BTreeSet;

use checksum_api_ext::RunHandle;
use checksum_api_ext::types::TestId;
use checksum_mock::{Mock, ROUTES, RunScript};

use crate::client_of;

/// Everything that the document offers can be had without the raw client.
#[tokio::test]
async fn there_is_a_call_for_every_operation() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::start().await?;
    let checksum = client_of(&mock);
    let test = TestId::new("test-def-456")?;

    checksum.project().await?;
    checksum.run_suite().start().await?.await?;
    checksum
        .run_collection("collection-abc-123".parse()?)
        .start()
        .await?
        .await?;
    checksum.run_tests([test.clone()]).start().await?.await?;
    #[allow(deprecated)]
    checksum.run_grep_v1("checkout").start().await?.await?;
    mock.next_run(RunScript::new().fails([test.as_str()]));
    let run = checksum.run_grep("checkout").start().await?;
    let saved = serde_json::to_string(&run.handle())?;
    let report = checksum
        .resume(serde_json::from_str::<RunHandle>(&saved)?)
        .await?;

    let test_run = report.test_run().ok_or("no test run")?;
    test_run.results().await?;
    test_run.report().await?;
    test_run.test(test).attachments().await?;
    checksum.latest_test_run().await?;
    let healing = test_run.heal().without_pull_request().await?;
    checksum.heal_batch(healing.id().clone()).await?;
    let generation = checksum
        .generate("acme-co/webapp".parse()?, 42, "main")
        .await?;
    checksum.generation_batch(generation.id().clone()).await?;
    checksum.bugs().first_page().await?;

    let requests = mock.requests();
    let called: BTreeSet<_> = requests
        .iter()
        .filter_map(|request| request.operation_id)
        .collect();
    let offered: BTreeSet<_> = ROUTES.iter().map(|route| route.operation_id).collect();
    assert_eq!(called, offered);
    Ok(())
}
