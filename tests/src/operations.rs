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

/// Calls an operation with every parameter and field that it has, each holding the text.
///
/// # Panics
///
/// The call fails.
pub async fn call_with(client: &Client, operation: OperationId, text: &str) {
    macro_rules! call {
        ($name:ident $(. $setter:ident($value:expr))*) => {
            client.$name()$(.$setter($value))*.execute().await.map(|_| ())
        };
    }
    let owned = || text.to_owned();
    let heal = Some(auto_heal(text));
    let metadata = || types::Metadata([(owned(), text.into())].into_iter().collect());
    let environment =
        || types::EnvOverrides([(owned(), owned()), ("EMPTY".into(), "".into())].into());
    let sent = match operation {
        OperationId::GetProject => call!(get_project),
        OperationId::RunSuite => {
            let body = with(types::RunSuiteRequest::new(), |body| body.auto_heal = heal);
            call!(run_suite.body(body))
        }
        OperationId::RunCollection => {
            let body = types::RunCollectionRequest::new();
            let body = with(body, |body| body.auto_heal = heal);
            call!(run_collection.id(text).body(body))
        }
        OperationId::RunTests => {
            let body = types::RunTestsRequest::new(vec![identifier(text), identifier(" ")]);
            call!(run_tests.body(with(body, |body| body.auto_heal = heal)))
        }
        OperationId::RunGrep => call!(run_grep.body_map(|body| body.grep(text))),
        OperationId::RunGrepV2 => {
            let body = types::RunGrepV2Request::new(text.parse().expect("a pattern"));
            call!(run_grep_v2.body(with(body, |body| {
                body.branch = Some(owned());
                body.env_overrides = Some(environment());
                body.auto_heal = heal;
            })))
        }
        OperationId::FindAffectedTests => {
            let body = types::FindAffectedTestsRequest::new(vec![owned(), String::new()]);
            call!(find_affected_tests.body(body))
        }
        OperationId::GetRunStatus => call!(get_run_status.job_name(text)),
        OperationId::GetRunStatusV2 => call!(get_run_status_v2.job_name(text)),
        OperationId::GetRunStatusByRunId => call!(get_run_status_by_run_id.run_id(text)),
        OperationId::GetTestRunResults => {
            let status: types::TestStatus = text.parse().expect("a status");
            call!(get_test_run_results.id(text).status(status))
        }
        OperationId::GetTestRunReport => call!(get_test_run_report.id(text)),
        OperationId::GetTestAttachments => call!(get_test_attachments.run_id(text).test_id(text)),
        OperationId::GetLatestTestRun => call!(get_latest_test_run),
        OperationId::TriggerAutoHeal => {
            let body = types::HealRequest::new(identifier(text));
            call!(trigger_auto_heal.body(with(body, |body| {
                body.auto_create_pr = Some(false);
                body.branch = Some(String::new());
                body.metadata = Some(metadata());
                body.pr_number = Some(types::PrNumber(1.try_into().expect("a number")));
                body.repo_name = Some(identifier(text));
            })))
        }
        OperationId::GetHealBatch => call!(get_heal_batch.batch_id(text)),
        OperationId::TriggerAutoGenerate => {
            call!(trigger_auto_generate.body_map(|body| {
                body.pr_number(types::PrNumber(1.try_into().expect("a number")))
                    .repo_name(text)
                    .branch(owned())
                    .metadata(metadata())
                    .env_overrides(environment())
            }))
        }
        OperationId::GetGenerationBatch => call!(get_generation_batch.batch_id(text)),
        OperationId::ListBugs => call!(
            list_bugs
                .status(types::BugStatus::NeedsTriage)
                .severity(text.parse::<types::BugSeverity>().expect("a severity"))
                .search("")
                .limit(0_u64)
                .offset(u64::MAX)
                .tags(vec![owned(), String::new(), "plain".to_owned()])
                .project(text)
                .collection_name(text)
        ),
    };
    sent.unwrap_or_else(|error| panic!("{operation}: {error}"));
}

/// Calls operations one after the other, each with what earlier responses have named.
pub struct Session {
    job_v1: types::JobName,
    job_v2: types::JobName,
    run: types::TestRunId,
    test: types::TestId,
    heal_batch: types::BatchId,
    generation_batch: types::BatchId,
}

impl Session {
    /// The names of the document's examples.
    ///
    /// # Errors
    ///
    /// An example is no identifier.
    pub fn documented() -> Result<Self, Box<dyn std::error::Error>> {
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
    ///
    /// # Errors
    ///
    /// Whatever the call fails with.
    pub async fn call(
        &mut self,
        client: &Client,
        operation: OperationId,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let pr_number = types::PrNumber::from(std::num::NonZeroU64::MIN);
        let environment = [(
            "BASE_URL".to_owned(),
            "https://preview.example.com".to_owned(),
        )];
        let environment = types::EnvOverrides(environment.into());
        let mut auto_heal = types::AutoHeal::new();
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
                let mut body = types::RunSuiteRequest::new();
                body.auto_heal = auto_heal;
                let run = client.run_suite().body(body).execute().await?;
                self.job_v1 = run.name.unwrap_or(self.job_v1.clone());
            }
            OperationId::RunCollection => {
                let mut body = types::RunCollectionRequest::new();
                body.auto_heal = auto_heal;
                let run = client.run_collection().id("collection-abc-123").body(body);
                run.execute().await?;
            }
            OperationId::RunTests => {
                let mut body = types::RunTestsRequest::new(vec!["id1".parse()?, "id2".parse()?]);
                body.auto_heal = auto_heal;
                client.run_tests().body(body).execute().await?;
            }
            OperationId::FindAffectedTests => {
                let body = types::FindAffectedTestsRequest::new(vec!["src/cart.ts".to_owned()]);
                client.find_affected_tests().body(body).execute().await?;
            }
            OperationId::RunGrepV2 => {
                let mut body = types::RunGrepV2Request::new("checkout".parse()?);
                body.branch = Some("feature/preview".to_owned());
                body.env_overrides = Some(environment);
                body.auto_heal = auto_heal;
                let run = client.run_grep_v2().body(body).execute().await?;
                self.job_v2 = run.name.unwrap_or(self.job_v2.clone());
            }
            OperationId::RunGrep => {
                let body = types::RunGrepRequest::new("checkout".parse()?);
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
                let mut body = types::HealRequest::new(self.run.clone());
                body.auto_create_pr = Some(true);
                body.branch = Some("main".to_owned());
                body.pr_number = Some(pr_number);
                body.repo_name = Some("acme-co/my-tests".parse()?);
                body.metadata = Some(serde_json::from_value(
                    serde_json::json!({ "by": "drive" }),
                )?);
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

fn auto_heal(text: &str) -> types::AutoHeal {
    with(types::AutoHeal::new(), |heal| {
        heal.auto_create_pr = Some(true);
        heal.branch = Some(text.to_owned());
        heal.pr_number = Some(types::PrNumber(u64::MAX.try_into().expect("a number")));
        heal.repo_name = Some(identifier(text));
    })
}

fn with<T>(mut value: T, set: impl FnOnce(&mut T)) -> T {
    set(&mut value);
    value
}

fn identifier<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn encoded(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
