//! The walk over every operation of the raw client.

use std::fmt::Debug;
use std::num::NonZeroU64;
use std::str::FromStr;

use checksum_api::{Client, Error, OperationId, types};
use serde::Serialize;
use serde_json::{Value, json};

/// What the calls of a walk are given.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// A job name that v1 knows.
    pub job_v1: String,
    /// A job name that v2 knows.
    pub job_v2: String,
    /// A collection.
    pub collection: String,
    /// A test run.
    pub test_run: String,
    /// A test of that run.
    pub test: String,
    /// A pattern of test titles.
    pub grep: String,
    /// A changed file.
    pub file: String,
    /// A batch of healing.
    pub heal_batch: String,
    /// A batch of generation.
    pub generation_batch: String,
    /// A repository with its owner.
    pub repo: String,
    /// A branch.
    pub branch: String,
    /// A pull request.
    pub pr_number: NonZeroU64,
    /// What every optional parameter and field holds. Without it, they are left out.
    pub options: Option<Options>,
}

/// The value of every optional parameter and field.
#[derive(Clone, Debug)]
pub struct Options {
    /// The strings.
    pub text: String,
    /// The numbers.
    pub number: u64,
    /// Whether there are empty strings, blank ids and fields that the document does not have.
    pub edge_cases: bool,
}

impl Inputs {
    /// Takes the ids of the document's examples, and no options.
    pub fn documented() -> Self {
        Self {
            job_v1: "job-name-12345".into(),
            job_v2: "job-name-12345".into(),
            collection: "collection-abc-123".into(),
            test_run: "run-id".into(),
            test: "test-def-456".into(),
            grep: "checkout".into(),
            file: "src/cart.ts".into(),
            heal_batch: "batch-xyz-789".into(),
            generation_batch: "batch-abc".into(),
            repo: "acme-co/webapp".into(),
            branch: "feature/checkout-redesign".into(),
            pr_number: NonZeroU64::MIN,
            options: None,
        }
    }

    /// Takes the documented ids, and options that a service accepts.
    pub fn documented_with_options() -> Self {
        Self {
            options: Some(Options {
                text: "acme-co/my-tests".into(),
                number: 42,
                edge_cases: false,
            }),
            ..Self::documented()
        }
    }

    /// Takes this text wherever one is free, and the greatest numbers.
    pub fn all(text: &str) -> Self {
        Self {
            job_v1: text.into(),
            job_v2: text.into(),
            collection: text.into(),
            test_run: text.into(),
            test: text.into(),
            grep: text.into(),
            file: text.into(),
            heal_batch: text.into(),
            generation_batch: text.into(),
            // Its owner and its name are apart, and neither has a space.
            repo: format!("acme-co/{}", text.replace(['/', ' '], "_")),
            branch: text.into(),
            pr_number: NonZeroU64::MAX,
            options: Some(Options {
                text: text.into(),
                number: u64::MAX,
                edge_cases: true,
            }),
        }
    }

    /// Calls an operation, and returns its response as the client encodes it again.
    ///
    /// # Errors
    ///
    /// The call fails.
    pub async fn call(&self, client: &Client, operation: OperationId) -> Result<Value, Error> {
        let client = &self.with_extra_fields(client, operation);
        macro_rules! call {
            ($name:ident $(. $setter:ident($value:expr))*) => {
                encoded(client.$name()$(.$setter($value))*.execute().await?)
            };
        }
        let options = self.options.as_ref();
        let text = options.map(|options| options.text.clone());
        let auto_heal = options.map(|options| self.auto_heal(options));
        let metadata = options.map(|options| metadata(&options.text));
        let env_overrides = options.map(|options| self.env_overrides(&options.text));
        let pr_number = types::PrNumber(self.pr_number);
        Ok(match operation {
            OperationId::GetProject => call!(get_project),
            OperationId::RunSuite => {
                let mut body = types::RunSuiteRequest::new();
                body.suite_ids = text.map_or_else(Vec::new, |text| self.ids(&text));
                body.auto_heal = auto_heal;
                call!(run_suite.body(body))
            }
            OperationId::RunCollection => {
                let mut body = types::RunCollectionRequest::new();
                body.auto_heal = auto_heal;
                call!(run_collection.id(&*self.collection).body(body))
            }
            OperationId::RunTests => {
                let mut body = types::RunTestsRequest::new(self.ids(&self.test));
                body.auto_heal = auto_heal;
                call!(run_tests.body(body))
            }
            OperationId::RunGrep => call!(run_grep.body_map(|body| body.grep(&*self.grep))),
            OperationId::RunGrepV2 => {
                let mut body = types::RunGrepV2Request::new(parsed(&self.grep));
                body.branch = text;
                body.env_overrides = env_overrides;
                body.auto_heal = auto_heal;
                call!(run_grep_v2.body(body))
            }
            OperationId::FindAffectedTests => {
                let files = vec![self.file.clone()];
                call!(find_affected_tests.body(types::FindAffectedTestsRequest::new(files)))
            }
            OperationId::GetRunStatus => call!(get_run_status.job_name(&*self.job_v1)),
            OperationId::GetRunStatusV2 => call!(get_run_status_v2.job_name(&*self.job_v2)),
            OperationId::GetRunStatusByRunId => {
                call!(get_run_status_by_run_id.run_id(&*self.test_run))
            }
            OperationId::GetTestRunResults => match text {
                None => call!(get_test_run_results.id(&*self.test_run)),
                Some(text) => call!(get_test_run_results.id(&*self.test_run).status(&*text)),
            },
            OperationId::GetTestRunReport => call!(get_test_run_report.id(&*self.test_run)),
            OperationId::GetTestAttachments => {
                call!(
                    get_test_attachments
                        .run_id(&*self.test_run)
                        .test_id(&*self.test)
                )
            }
            OperationId::GetLatestTestRun => call!(get_latest_test_run),
            OperationId::TriggerAutoHeal => {
                let mut body = types::HealRequest::new(parsed(&self.test_run));
                body.auto_create_pr = Some(options.is_some());
                body.pr_number = options.map(|_| pr_number);
                body.repo_name = options.map(|options| parsed(&options.text));
                body.branch = text;
                body.metadata = metadata;
                call!(trigger_auto_heal.body(body))
            }
            OperationId::GetHealBatch => call!(get_heal_batch.batch_id(&*self.heal_batch)),
            OperationId::TriggerAutoGenerate => call!(trigger_auto_generate.body_map(|body| {
                body.pr_number(pr_number)
                    .repo_name(&*self.repo)
                    .branch(self.branch.clone())
                    .metadata(metadata)
                    .env_overrides(env_overrides)
            })),
            OperationId::GetGenerationBatch => {
                call!(get_generation_batch.batch_id(&*self.generation_batch))
            }
            OperationId::ListBugs => match options {
                None => call!(list_bugs),
                Some(Options { text, number, .. }) => call!(
                    list_bugs
                        .status(types::BugStatus::NeedsTriage)
                        .severity(&**text)
                        .search("")
                        .limit(1_u64)
                        .offset(*number)
                        .tags(self.tags(text))
                        .project(text)
                        .collection_name(text)
                ),
            },
        })
    }

    /// Takes the ids that a response names, so that the next calls are about the same work.
    pub fn learn(&mut self, operation: OperationId, response: &Value) {
        let (input, name) = match operation {
            OperationId::RunSuite => (&mut self.job_v1, &response["name"]),
            OperationId::RunGrepV2 => (&mut self.job_v2, &response["name"]),
            OperationId::GetRunStatusV2 => (&mut self.test_run, &response["testRunId"]),
            OperationId::GetTestRunResults => {
                (&mut self.test, &response["tests"][0]["checksumTestId"])
            }
            OperationId::TriggerAutoHeal => (&mut self.heal_batch, &response["batchId"]),
            OperationId::TriggerAutoGenerate => (&mut self.generation_batch, &response["batchId"]),
            _ => return,
        };
        if let Some(name) = name.as_str() {
            *input = name.to_owned();
        }
    }

    /// Fields that the document does not have: one of the body, and one of its `autoHeal`.
    fn with_extra_fields(&self, client: &Client, operation: OperationId) -> Client {
        let Some(Options { text, .. }) = self.edge_cases() else {
            return client.clone();
        };
        let fields = match operation {
            OperationId::RunSuite
            | OperationId::RunCollection
            | OperationId::RunTests
            | OperationId::RunGrepV2 => json!({ text: 1, "autoHeal": { text: text } }),
            OperationId::TriggerAutoHeal => json!({ text: text }),
            OperationId::FindAffectedTests => return client.clone(),
            _ => json!({ text: 1 }),
        };
        client.with_extra_fields(fields.as_object().cloned().unwrap_or_default())
    }

    fn edge_cases(&self) -> Option<&Options> {
        self.options.as_ref().filter(|options| options.edge_cases)
    }

    fn ids<T: FromStr<Err: Debug>>(&self, id: &str) -> Vec<T> {
        let blank = self.edge_cases().map(|_| " ");
        [id].into_iter().chain(blank).map(parsed).collect()
    }

    fn tags(&self, text: &str) -> Vec<String> {
        let empty = self.edge_cases().map(|_| "");
        let tags = [text, "plain"].into_iter().chain(empty);
        tags.map(str::to_owned).collect()
    }

    fn env_overrides(&self, text: &str) -> types::EnvOverrides {
        let empty = self.edge_cases().map(|_| ("EMPTY", ""));
        let pairs = [(text, text)].into_iter().chain(empty);
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        types::EnvOverrides(pairs.collect())
    }

    fn auto_heal(&self, options: &Options) -> types::AutoHeal {
        let mut auto_heal = types::AutoHeal::new();
        auto_heal.auto_create_pr = Some(true);
        auto_heal.branch = Some(options.text.clone());
        auto_heal.pr_number = Some(types::PrNumber(self.pr_number));
        auto_heal.repo_name = Some(parsed(&options.text));
        auto_heal.metadata = Some(metadata(&options.text));
        auto_heal
    }
}

fn metadata(text: &str) -> types::Metadata {
    types::Metadata([(text.to_owned(), text.into())].into_iter().collect())
}

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("a value")
}

fn encoded(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
