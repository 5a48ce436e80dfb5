//! The walk over every operation of the extension crate, with the same inputs as that of the raw
//! client.

use std::fmt::Debug;
use std::str::FromStr;

use checksum_api::OperationId;
use checksum_api_ext::{
    ApiVersion, BatchId, BugSeverity, BugStatus, Checksum, Error, Grep, HealOptions, PrNumber,
    RunHandle, TestStatus,
};

use crate::operations::{Inputs, Options};

/// Calls what stands for an operation, if there is such a call.
///
/// # Errors
///
/// The call fails.
pub async fn call(
    inputs: &Inputs,
    checksum: &Checksum,
    operation: OperationId,
) -> Result<(), Error> {
    let options = inputs.options.as_ref();
    let test_run = checksum.test_run(id(&inputs.test_run));
    let auto_heal = options.map(|options| auto_heal(inputs, options));
    macro_rules! start {
        ($start:expr) => {{
            let mut start = $start;
            if let Some(auto_heal) = auto_heal {
                start = start.auto_heal(auto_heal);
            }
            if let Some(options) = options {
                start = start.extra_field(&options.text, 1);
            }
            drop(start.start().await?)
        }};
    }
    match operation {
        OperationId::GetProject => drop(checksum.project().await?),
        OperationId::RunSuite => match options {
            None => start!(checksum.run_suite()),
            Some(_) => start!(checksum.run_suites(ids(&inputs.grep))),
        },
        OperationId::RunCollection => start!(checksum.run_collection(id(&inputs.collection))),
        OperationId::RunTests => match options {
            None => start!(checksum.run_tests([id(&inputs.test)])),
            Some(_) => start!(checksum.run_tests(ids(&inputs.test))),
        },
        // The service keeps it for old integrations; the extension crate does not have it.
        OperationId::RunGrep => {}
        OperationId::RunGrepV2 => {
            let mut grep = Grep::new(&inputs.grep);
            if let Some(Options { text, .. }) = options {
                grep = grep.branch(text).env(text, text).env("EMPTY", "");
            }
            start!(checksum.run_grep(grep))
        }
        OperationId::FindAffectedTests => drop(checksum.affected_tests([&inputs.file]).await?),
        OperationId::GetRunStatus => {
            let handle = RunHandle::new(id(&inputs.job_v1)).pin_api_version(ApiVersion::V1);
            drop(checksum.resume_run(handle).status().await?);
        }
        OperationId::GetRunStatusV2 => {
            let handle = RunHandle::new(id(&inputs.job_v2)).pin_api_version(ApiVersion::V2);
            drop(checksum.resume_run(handle).status().await?);
        }
        OperationId::GetRunStatusByRunId => {
            let handle = RunHandle::from_test_run_id(id(&inputs.test_run));
            drop(checksum.resume_run(handle).status().await?);
        }
        OperationId::GetTestRunResults => match options {
            None => drop(test_run.results().await?),
            Some(Options { text, .. }) => {
                let status: TestStatus = id(text);
                drop(test_run.results_with_status(status).await?);
            }
        },
        OperationId::GetTestRunReport => drop(test_run.report().await?),
        OperationId::GetTestAttachments => drop(test_run.attachments(id(&inputs.test)).await?),
        OperationId::GetLatestTestRun => drop(checksum.latest_test_run().await?),
        OperationId::TriggerAutoHeal => {
            let options = auto_heal.unwrap_or_else(HealOptions::no_pull_request);
            drop(test_run.heal(options).start().await?);
        }
        OperationId::GetHealBatch => {
            let batch = checksum.resume_heal_batch(id::<BatchId>(&inputs.heal_batch));
            drop(batch.status().await?);
        }
        OperationId::TriggerAutoGenerate => {
            let pr_number = PrNumber::new(inputs.pr_number.get()).expect("a number");
            let mut generate = checksum.generate(id(&inputs.repo), pr_number, &inputs.branch);
            if let Some(Options { text, .. }) = options {
                generate = generate.env(text, text).env("EMPTY", "");
                generate = generate.metadata(text, &**text).extra_field(text, 1);
            }
            drop(generate.start().await?);
        }
        OperationId::GetGenerationBatch => {
            let batch = checksum.resume_generation_batch(id::<BatchId>(&inputs.generation_batch));
            drop(batch.status().await?);
        }
        OperationId::ListBugs => {
            let mut bugs = checksum.bugs();
            if let Some(Options { text, number, .. }) = options {
                let severity: BugSeverity = id(text);
                bugs = bugs.status(BugStatus::NeedsTriage).severity(severity);
                bugs = bugs.search("").page_size(1).offset(*number);
                bugs = bugs.tag(text).tag("plain").tag("");
                bugs = bugs.project(text).collection_name(text);
            }
            drop(bugs.page().await?);
        }
    }
    Ok(())
}

fn auto_heal(inputs: &Inputs, options: &Options) -> HealOptions {
    let text = &options.text;
    HealOptions::open_pull_request(id(text))
        .target_branch(text)
        .report_to(PrNumber::new(inputs.pr_number.get()).expect("a number"))
        .metadata(text, &**text)
        .extra_field(text, &**text)
}

fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn ids<T: FromStr<Err: Debug>>(text: &str) -> [T; 2] {
    [id(text), id(" ")]
}
