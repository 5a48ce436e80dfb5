//! Calls every operation through the raw client, one after the other, as a user's day goes; an
//! answer that is refused or cannot be decoded ends it with an error.
//!
//! ```text
//! cargo run -p checksum-tests --example drive -- --base-url http://127.0.0.1:4010
//! ```
//!
//! What an answer names, the next request asks for; where it names nothing, as the document's
//! examples may, the document's own example is asked for. The key is no real one.

use std::error::Error;
use std::io::Write;
use std::num::NonZeroU64;
use std::process::ExitCode;

use checksum_api::types::{
    AutoHeal, BatchId, EnvOverrides, FindAffectedTestsRequest, HealRequest, JobName, PrNumber,
    RunCollectionRequest, RunGrepRequest, RunGrepV2Request, RunSuiteRequest, RunTestsRequest,
    TestId, TestRunId,
};
use checksum_api::{ApiKey, Client, OperationId};
use serde_json::json;

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
    let mut named = Named::documented()?;
    for operation in OperationId::ALL {
        named.call(&client, *operation).await?;
        writeln!(std::io::stdout(), "decoded {operation}")?;
    }
    Ok(())
}

/// What the responses so far have named.
struct Named {
    job_v1: JobName,
    job_v2: JobName,
    run: TestRunId,
    test: TestId,
    heal_batch: BatchId,
    generation_batch: BatchId,
}

impl Named {
    /// The names of the document's examples.
    fn documented() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            job_v1: "job-name-12345".parse()?,
            job_v2: "job-name-12345".parse()?,
            run: "run-id".parse()?,
            test: "test-def-456".parse()?,
            heal_batch: "batch-xyz-789".parse()?,
            generation_batch: "batch-abc".parse()?,
        })
    }

    /// Calls an operation with everything that it can be given.
    async fn call(
        &mut self,
        client: &Client,
        operation: OperationId,
    ) -> Result<(), Box<dyn Error>> {
        let pr_number = PrNumber::from(NonZeroU64::MIN);
        let environment = [(
            "BASE_URL".to_owned(),
            "https://preview.example.com".to_owned(),
        )];
        let environment = EnvOverrides(environment.into());
        let mut auto_heal = AutoHeal::new();
        auto_heal.auto_create_pr = Some(true);
        auto_heal.branch = Some("main".to_owned());
        auto_heal.repo_name = Some("acme-co/my-tests".parse()?);
        auto_heal.pr_number = Some(pr_number.clone());
        let auto_heal = Some(auto_heal);
        match operation {
            OperationId::GetProject => {
                client.get_project().execute().await?;
            }
            OperationId::RunSuite => {
                let mut body = RunSuiteRequest::new();
                body.auto_heal = auto_heal;
                let run = client.run_suite().body(body).execute().await?;
                self.job_v1 = run.name.unwrap_or(self.job_v1.clone());
            }
            OperationId::RunCollection => {
                let mut body = RunCollectionRequest::new();
                body.auto_heal = auto_heal;
                let run = client.run_collection().id("collection-abc-123").body(body);
                run.execute().await?;
            }
            OperationId::RunTests => {
                let mut body = RunTestsRequest::new(vec!["id1".parse()?, "id2".parse()?]);
                body.auto_heal = auto_heal;
                client.run_tests().body(body).execute().await?;
            }
            OperationId::FindAffectedTests => {
                let body = FindAffectedTestsRequest::new(vec!["src/cart.ts".to_owned()]);
                client.find_affected_tests().body(body).execute().await?;
            }
            OperationId::RunGrepV2 => {
                let mut body = RunGrepV2Request::new("checkout".parse()?);
                body.branch = Some("feature/preview".to_owned());
                body.env_overrides = Some(environment);
                body.auto_heal = auto_heal;
                let run = client.run_grep_v2().body(body).execute().await?;
                self.job_v2 = run.name.unwrap_or(self.job_v2.clone());
            }
            OperationId::RunGrep => {
                let body = RunGrepRequest::new("checkout".parse()?);
                client.run_grep().body(body).execute().await?;
            }
            OperationId::GetRunStatus => {
                let status = client.get_run_status().job_name(&self.job_v1);
                status.execute().await?;
            }
            OperationId::GetRunStatusV2 => {
                let status = client.get_run_status_v2().job_name(&self.job_v2);
                let status = status.execute().await?;
                self.run = status.test_run_id.unwrap_or(self.run.clone());
            }
            OperationId::GetRunStatusByRunId => {
                let status = client.get_run_status_by_run_id().run_id(&self.run);
                status.execute().await?;
            }
            OperationId::GetTestRunResults => {
                let results = client.get_test_run_results().id(&self.run);
                let results = results.status("failed").execute().await?;
                if let Some(test) = results.tests.first() {
                    self.test = test.checksum_test_id.clone();
                }
            }
            OperationId::GetTestRunReport => {
                client.get_test_run_report().id(&self.run).execute().await?;
            }
            OperationId::GetTestAttachments => {
                let attachments = client.get_test_attachments().run_id(&self.run);
                attachments.test_id(&self.test).execute().await?;
            }
            OperationId::GetLatestTestRun => {
                client.get_latest_test_run().execute().await?;
            }
            OperationId::TriggerAutoHeal => {
                let mut body = HealRequest::new(self.run.clone());
                body.auto_create_pr = Some(true);
                body.branch = Some("main".to_owned());
                body.pr_number = Some(pr_number);
                body.repo_name = Some("acme-co/my-tests".parse()?);
                body.metadata = Some(serde_json::from_value(json!({ "by": "drive" }))?);
                let batch = client.trigger_auto_heal().body(body).execute().await?;
                self.heal_batch = batch.batch_id;
            }
            OperationId::GetHealBatch => {
                let batch = client.get_heal_batch().batch_id(&self.heal_batch);
                batch.execute().await?;
            }
            OperationId::TriggerAutoGenerate => {
                let generate = client.trigger_auto_generate().body_map(|body| {
                    body.pr_number(pr_number)
                        .repo_name("acme-co/my-tests")
                        .branch("feature/checkout-redesign")
                        .env_overrides(environment)
                });
                self.generation_batch = generate.execute().await?.batch_id;
            }
            OperationId::GetGenerationBatch => {
                let batch = client.get_generation_batch();
                batch.batch_id(&self.generation_batch).execute().await?;
            }
            OperationId::ListBugs => {
                let bugs = client
                    .list_bugs()
                    .status("confirmed")
                    .severity("critical")
                    .search("pay")
                    .limit(20_u64)
                    .offset(0_u64)
                    .tags(vec!["smoke".to_owned(), "checkout".to_owned()])
                    .project("project-abc-123")
                    .collection_name("Checkout");
                bugs.execute().await?;
            }
        }
        Ok(())
    }
}
