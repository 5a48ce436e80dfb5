//! Calls all 17 operations through the raw client, one after the other, as a user's day goes; an
//! answer that is refused or cannot be decoded ends it with an error.
//!
//! ```text
//! cargo run -p checksum-tests --example drive -- --base-url http://127.0.0.1:4010
//! ```
//!
//! What an answer names, the next request asks for; where it names nothing, as the document's
//! examples may, the document's own example is asked for. The key is no real one.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;
use std::num::NonZeroU64;
use std::process::ExitCode;

use checksum_api::types::{
    EnvOverrides, GenerateRequest, GrepPattern, HealRequest, JobName, PrNumber, RepoName,
    RunCollectionRequest, RunGrepRequest, RunGrepV2Request, RunSuiteRequest, RunTestsRequest,
    TestId, TestRunId,
};
use checksum_api::{ApiKey, Client, OPERATIONS};
use serde_json::json;

/// Calls an operation by its name, and says so.
macro_rules! call {
    ($client:ident, $called:ident, $operation:ident $(, $set:ident($value:expr))*) => {{
        #[expect(clippy::allow_attributes, reason = "one of the operations is deprecated")]
        #[allow(deprecated)]
        let answer = $client
            .call(async |client: &Client| { client.$operation()$(.$set($value))*.execute().await })
            .await?;
        writeln!(std::io::stdout(), "decoded {}", stringify!($operation))?;
        $called.insert(stringify!($operation));
        answer
    }};
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let base_url = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--base-url"), Some(url)) => url,
        _ => return Err("usage: drive --base-url URL".into()),
    };
    let client = Client::builder(ApiKey::new("contract-key")?)
        .base_url(base_url.parse()?)
        .build()?;
    let called = drive(&client).await?;
    let all: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
    if called != all {
        let missing: Vec<_> = all.difference(&called).collect();
        return Err(format!("not called: {missing:?}").into());
    }
    Ok(())
}

/// Calls every operation, and gives the names of those that it called.
async fn drive(client: &Client) -> Result<BTreeSet<&'static str>, Box<dyn Error>> {
    let mut called = BTreeSet::new();
    let repository: RepoName = "acme-co/my-tests".parse()?;
    let pr_number = PrNumber::from(NonZeroU64::MIN);
    let auto_heal: checksum_api::types::AutoHeal = serde_json::from_value(json!({
        "autoCreatePR": true,
        "branch": "main",
        "repoName": "acme-co/my-tests",
        "prNumber": 42,
    }))?;
    let auto_heal = Some(auto_heal);
    let environment = EnvOverrides(
        [(
            "BASE_URL".to_owned(),
            "https://preview.example.com".to_owned(),
        )]
        .into(),
    );
    let grep: GrepPattern = "checkout".parse()?;
    let documented_job: JobName = "job-name-12345".parse()?;

    call!(client, called, get_project);

    let suite = RunSuiteRequest {
        auto_heal: auto_heal.clone(),
    };
    let run = call!(client, called, run_suite, body(suite));
    let collection = RunCollectionRequest {
        auto_heal: auto_heal.clone(),
    };
    call!(
        client,
        called,
        run_collection,
        id("collection-abc-123"),
        body(collection)
    );
    let tests = RunTestsRequest {
        test_ids: vec!["id1".parse()?, "id2".parse()?],
        auto_heal: auto_heal.clone(),
    };
    call!(client, called, run_tests, body(tests));
    let first_version = RunGrepRequest { grep: grep.clone() };
    call!(client, called, run_grep, body(first_version));
    let second_version = RunGrepV2Request {
        grep,
        branch: Some("feature/preview".to_owned()),
        env_overrides: Some(environment.clone()),
        auto_heal,
    };
    let grepped = call!(client, called, run_grep_v2, body(second_version));

    let job = run.name.unwrap_or_else(|| documented_job.clone());
    call!(client, called, get_run_status, job_name(job));
    let job = grepped.name.unwrap_or(documented_job);
    let status = call!(client, called, get_run_status_v2, job_name(job));

    let documented_run: TestRunId = "run-id".parse()?;
    let run_id = status.test_run_id.unwrap_or(documented_run);
    let id = run_id.clone();
    let results = call!(
        client,
        called,
        get_test_run_results,
        id(id),
        status("failed")
    );
    let id = run_id.clone();
    call!(client, called, get_test_run_report, id(id));
    let documented_test: TestId = "test-def-456".parse()?;
    let test = results.tests.first();
    let test = test.map_or(documented_test, |test| test.checksum_test_id.clone());
    let id = run_id.clone();
    call!(
        client,
        called,
        get_test_attachments,
        run_id(id),
        test_id(test)
    );
    call!(client, called, get_latest_test_run);

    let heal = HealRequest {
        test_run_id: run_id,
        auto_create_pr: Some(true),
        branch: Some("main".to_owned()),
        pr_number: Some(pr_number.clone()),
        repo_name: Some(repository.clone()),
        metadata: Some(serde_json::from_value(json!({ "by": "drive" }))?),
    };
    let batch = call!(client, called, trigger_auto_heal, body(heal));
    call!(client, called, get_heal_batch, batch_id(batch.batch_id));

    let generate = GenerateRequest {
        pr_number,
        repo_name: repository,
        branch: "feature/checkout-redesign".to_owned(),
        metadata: None,
        env_overrides: Some(environment),
    };
    let batch = call!(client, called, trigger_auto_generate, body(generate));
    call!(
        client,
        called,
        get_generation_batch,
        batch_id(batch.batch_id)
    );

    call!(
        client,
        called,
        list_bugs,
        status("confirmed"),
        severity("critical"),
        search("pay"),
        limit(20_u64),
        offset(0_u64),
        tags(vec!["smoke".to_owned(), "checkout".to_owned()]),
        project("project-abc-123"),
        collection_name("Checkout")
    );
    Ok(called)
}
