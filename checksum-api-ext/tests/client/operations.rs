use std::collections::BTreeSet;

use checksum_api_ext::RunHandle;
use checksum_api_ext::types::TestId;
use checksum_mock::{Mock, ROUTES, RunScript};

use serde_json::json;

use crate::{KEY, client_of, scripted};

/// Everything that the document offers can be had without the raw client.
#[tokio::test]
async fn there_is_a_call_for_every_operation() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().observed().start().await?;
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
    checksum.affected_tests(["src/checkout.ts"]).await?;

    let requests = mock.requests();
    let called: BTreeSet<_> = requests
        .iter()
        .filter_map(|request| request.operation_id)
        .collect();
    let offered: BTreeSet<_> = ROUTES.iter().map(|route| route.operation_id).collect();
    assert_eq!(called, offered);
    Ok(())
}

/// A base URL may lead to a service that repeats what it is sent.
#[tokio::test]
async fn an_echo_is_no_answer_and_shows_no_key() {
    let echo = |request: &reqwest::Request| {
        let headers = format!("{}: Bearer {KEY}", request.url());
        scripted::json(
            200,
            &json!({ "headers": [{ "authorization": headers, KEY: [KEY] }] }),
        )
    };
    let checksum = scripted::client(echo);
    let test_run = checksum.test_run("run-id".parse().expect("an id"));
    let test = test_run.test("test-id".parse().expect("an id"));
    let run = checksum.resume(RunHandle::new("job-name".parse().expect("a name")));
    let batch = checksum.heal_batch("batch-id".parse().expect("an id"));
    let errors = [
        checksum.project().await.err(),
        checksum.run_suite().start().await.err(),
        run.status().await.err(),
        checksum.latest_test_run().await.err(),
        test_run.results().await.err(),
        test_run.report().await.err(),
        test.attachments().await.err(),
        checksum.bugs().first_page().await.err(),
        batch.status().await.err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("number {number} is content"));
        let shown = format!("{error} {error:?} {:?}", error.answer());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
