//! Has the client call every operation of a service, for `cargo xtask contract`.
//!
//! - `drive examples <URL> <KEY>`: each operation once; every answer has to be one of the
//!   document's examples.
//! - `drive story <URL> <KEY>`: each operation once, each with what an earlier one gave; and one
//!   request that is wrong, which a judge in between has to notice.

use std::collections::BTreeSet;
use std::io::Write;

use checksum_api::{ApiKey, Client, Error, OPERATIONS, types};
use checksum_tests::document::examples;
use checksum_tests::operations;
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, key] = arguments.as_slice() else {
        return Err("usage: drive examples|story <URL> <KEY>".into());
    };
    let client = Client::builder(ApiKey::new(key.clone())?)
        .base_url(url.parse()?)
        .build()?;
    let said = match mode.as_str() {
        "examples" => answered_with_examples(&client).await?,
        "story" => story(&client).await?,
        other => return Err(format!("no mode `{other}`").into()),
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

async fn answered_with_examples(client: &Client) -> Outcome<String> {
    for operation in OPERATIONS {
        let answer = operations::call(client, operation.id).await?;
        let known = examples(operation.id)
            .into_iter()
            .any(|(_, example)| example == answer);
        if !known {
            return Err(format!("{} answered {answer}, which is no example", operation.id).into());
        }
    }
    Ok(format!(
        "{} operations decoded from examples",
        OPERATIONS.len()
    ))
}

async fn story(client: &Client) -> Outcome<String> {
    let mut called = BTreeSet::new();
    macro_rules! call {
        ($name:ident $(. $setter:ident($value:expr))*) => {{
            called.insert(stringify!($name));
            $(let $setter = $value;)*
            client.call(|client| async move {
                client.$name()$(.$setter($setter))*.send().await
            }).await?
        }};
    }
    let auto_heal = types::AutoHeal {
        auto_create_pr: Some(true),
        branch: Some("main".to_owned()),
        pr_number: Some(types::PrNumber(42.try_into()?)),
        repo_name: Some("acme-co/my-tests".parse()?),
    };
    let heal = Some(auto_heal.clone());

    call!(get_project);
    call!(run_suite.body(types::RunSuiteRequest {
        auto_heal: heal.clone()
    }));
    call!(run_collection.id("collection-abc-123"));
    call!(run_grep.body(types::RunGrepRequest {
        grep: "checkout".parse()?
    }));
    let tests = vec!["test-abc-123".parse()?, "test-def-456".parse()?];
    let run = call!(run_tests.body(types::RunTestsRequest {
        test_ids: tests,
        auto_heal: heal.clone()
    }));
    call!(get_run_status.job_name(run.name.ok_or("no name")?));
    let grep = types::RunGrepV2Request {
        grep: "check".parse()?,
        branch: Some("feature/preview".to_owned()),
        env_overrides: Some(types::EnvOverrides(
            [("A".to_owned(), "1".to_owned())].into(),
        )),
        auto_heal: heal,
    };
    let run = call!(run_grep_v2.body(grep));
    let status = call!(get_run_status_v2.job_name(run.name.ok_or("no name")?));
    let test_run = status.test_run_id.ok_or("no test run")?;
    let id = || test_run.clone();
    let results = call!(
        get_test_run_results
            .id(id())
            .status(types::TestStatus::Failed)
    );
    let test = results
        .tests
        .first()
        .ok_or("no failed test")?
        .checksum_test_id
        .clone();
    call!(get_test_attachments.run_id(id()).test_id(test));
    call!(get_test_run_report.id(id()));
    call!(get_latest_test_run);
    let started = call!(trigger_auto_heal.body(types::HealRequest {
        test_run_id: id(),
        auto_create_pr: Some(true),
        branch: Some("main".to_owned()),
        metadata: Some(types::Metadata(
            [("context".to_owned(), json!("why"))].into_iter().collect()
        )),
        pr_number: Some(types::PrNumber(42.try_into()?)),
        repo_name: Some("acme-co/my-tests".parse()?),
    }));
    call!(get_heal_batch.batch_id(started.batch_id));
    let started = call!(trigger_auto_generate.body(types::GenerateRequest {
        pr_number: types::PrNumber(42.try_into()?),
        repo_name: "acme-co/webapp".parse()?,
        branch: "feature/checkout".to_owned(),
        metadata: None,
        env_overrides: None,
    }));
    call!(get_generation_batch.batch_id(started.batch_id));
    call!(
        list_bugs
            .status(types::BugStatus::Confirmed)
            .severity(types::BugSeverity::Critical)
            .search("pay")
            .limit(5_u64)
            .offset(0_u64)
            .tags(vec!["checkout".to_owned(), "smoke".to_owned()])
    );

    let operations: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    if called != operations {
        return Err(format!("called {called:?} of {operations:?}").into());
    }
    notices_what_is_wrong(client).await?;
    Ok(format!(
        "{} operations without a violation, 1 violation noticed",
        called.len()
    ))
}

/// Without this, a proxy that lets everything through would look like one that finds no fault.
async fn notices_what_is_wrong(client: &Client) -> Outcome<()> {
    let members = json!({ "testIds": "no list" });
    let members = members.as_object().ok_or("no object")?.clone();
    let wrong = client.with_members(members);
    let answer: Result<_, Error> = operations::call(&wrong, "run_tests").await;
    match answer {
        Err(error) if error.to_string().contains("Request body") => Ok(()),
        Err(error) => Err(format!("refused, but not by the judge: {error}").into()),
        Ok(answer) => Err(format!("a wrong request was let through: {answer}").into()),
    }
}
