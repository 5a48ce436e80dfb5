//! Every request of the extension crate as it goes out: the least that a call takes, and everything
//! it takes, with values that have to be escaped.

use checksum_api::OperationId;
use checksum_api::types::{BugSeverity, BugStatus, TestStatus};
use checksum_api_ext::{ApiVersion, AutoHeal, Checksum, Error, RunHandle};
use checksum_tests::Wire;

const AWKWARD: &str = "a b/c?d=e&f#g%41+\"'<>;,|{}[]^`~é漢😀\u{202e}";

fn identifier<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

#[tokio::test]
async fn the_least_and_everything_of_each() {
    let wire = Wire::default();
    let checksum = wire.client();
    for id in OperationId::ALL.iter().copied() {
        let sent = least(&checksum, id).await;
        sent.unwrap_or_else(|error| panic!("{id}: {error}"));
        let least = wire.take();
        assert_eq!(least.len(), 1, "{id}");
        for text in [AWKWARD, &"x".repeat(10_000)] {
            let sent = everything(&checksum, id, text).await;
            sent.unwrap_or_else(|error| panic!("{id}: {error}"));
        }
        let everything = wire.take();
        assert_eq!(everything.len(), 2, "{id}");
        let name = format!("extension {id}");
        insta::assert_snapshot!(name, [least, everything].concat().join("\n"));
    }
}

fn run(checksum: &Checksum, name: &str, version: ApiVersion) -> checksum_api_ext::Run {
    checksum.resume_run(RunHandle::new(identifier(name)).pin(version))
}

/// The call that stands for an operation, with nothing that it can do without.
async fn least(checksum: &Checksum, operation: OperationId) -> Result<(), Error> {
    let test_run = checksum.test_run(identifier("run-id"));
    match operation {
        OperationId::GetProject => drop(checksum.project().await?),
        OperationId::RunSuite => drop(checksum.run_suite().start().await?),
        OperationId::RunCollection => {
            let collection = identifier("collection-abc-123");
            drop(checksum.run_collection(collection).start().await?);
        }
        OperationId::RunTests => drop(checksum.run_tests([identifier("id1")]).start().await?),
        #[expect(deprecated, reason = "it is an operation all the same")]
        OperationId::RunGrep => drop(checksum.run_grep_v1("checkout").start().await?),
        OperationId::RunGrepV2 => drop(checksum.run_grep("checkout").start().await?),
        OperationId::FindAffectedTests => drop(checksum.affected_tests(["src/cart.ts"]).await?),
        OperationId::GetRunStatusByRunId => {
            let run = checksum.resume_run(RunHandle::from_test_run_id(identifier("run-id")));
            drop(run.status().await?);
        }
        OperationId::GetRunStatus => {
            drop(run(checksum, "job-name", ApiVersion::V1).status().await?)
        }
        OperationId::GetRunStatusV2 => {
            drop(run(checksum, "job-name", ApiVersion::V2).status().await?)
        }
        OperationId::GetTestRunResults => drop(test_run.results().await?),
        OperationId::GetTestRunReport => drop(test_run.report().await?),
        OperationId::GetTestAttachments => {
            drop(test_run.test(identifier("id1")).attachments().await?)
        }
        OperationId::GetLatestTestRun => drop(checksum.latest_test_run().await?),
        OperationId::TriggerAutoHeal => drop(test_run.heal().without_pull_request().start().await?),
        OperationId::GetHealBatch => {
            drop(checksum.heal_batch(identifier("batch-1")).status().await?)
        }
        OperationId::TriggerAutoGenerate => {
            let repository = identifier("acme-co/webapp");
            drop(checksum.generate(repository, 1, "feature").start().await?);
        }
        OperationId::GetGenerationBatch => {
            let batch = checksum.generation_batch(identifier("batch-1"));
            drop(batch.status().await?);
        }
        OperationId::ListBugs => drop(checksum.bugs().first_page().await?),
    }
    Ok(())
}

/// The same with everything that the call can be given, each holding the text, and with a member
/// that this version does not know.
async fn everything(checksum: &Checksum, operation: OperationId, text: &str) -> Result<(), Error> {
    let test_run = checksum.test_run(identifier(text));
    let auto_heal = AutoHeal::pull_request(identifier(text))
        .branch(text)
        .pr(u64::MAX)
        .extra_field(text, text);
    match operation {
        OperationId::GetProject => drop(checksum.project().await?),
        OperationId::RunSuite => {
            let run = checksum
                .run_suite()
                .auto_heal(auto_heal)
                .extra_field(text, 1);
            drop(run.start().await?);
        }
        OperationId::RunCollection => {
            let run = checksum.run_collection(identifier(text));
            drop(
                run.auto_heal(auto_heal)
                    .extra_field(text, 1)
                    .start()
                    .await?,
            );
        }
        OperationId::RunTests => {
            let run = checksum.run_tests([identifier(text), identifier(" ")]);
            drop(
                run.auto_heal(auto_heal)
                    .extra_field(text, 1)
                    .start()
                    .await?,
            );
        }
        #[expect(deprecated, reason = "it is an operation all the same")]
        OperationId::RunGrep => drop(
            checksum
                .run_grep_v1(text)
                .extra_field(text, 1)
                .start()
                .await?,
        ),
        OperationId::RunGrepV2 => {
            let run = checksum.run_grep(text).branch(text).env(text, text);
            let run = run
                .env("EMPTY", "")
                .auto_heal(auto_heal)
                .extra_field(text, 1);
            drop(run.start().await?);
        }
        OperationId::FindAffectedTests => drop(checksum.affected_tests([text, ""]).await?),
        OperationId::GetRunStatusByRunId => {
            let run = checksum.resume_run(RunHandle::from_test_run_id(identifier(text)));
            drop(run.status().await?);
        }
        OperationId::GetRunStatus => drop(run(checksum, text, ApiVersion::V1).status().await?),
        OperationId::GetRunStatusV2 => drop(run(checksum, text, ApiVersion::V2).status().await?),
        OperationId::GetTestRunResults => {
            let status: TestStatus = identifier(text);
            drop(test_run.results().status(status).await?);
        }
        OperationId::GetTestRunReport => drop(test_run.report().await?),
        OperationId::GetTestAttachments => {
            drop(test_run.test(identifier(text)).attachments().await?)
        }
        OperationId::GetLatestTestRun => drop(checksum.latest_test_run().await?),
        OperationId::TriggerAutoHeal => {
            let heal = test_run.heal().pull_request(identifier(text)).branch(text);
            let heal = heal.pr(u64::MAX).metadata(text, text).extra_field(text, 1);
            drop(heal.start().await?);
        }
        OperationId::GetHealBatch => drop(checksum.heal_batch(identifier(text)).status().await?),
        OperationId::TriggerAutoGenerate => {
            // Its owner and its name are apart, and neither has a space.
            let repository = format!("acme-co/{}", text.replace(['/', ' '], "_"));
            let generate = checksum.generate(identifier(&repository), u64::MAX, text);
            let generate = generate.env(text, text).env("EMPTY", "");
            let generate = generate.metadata(text, text).extra_field(text, 1);
            drop(generate.start().await?);
        }
        OperationId::GetGenerationBatch => {
            drop(checksum.generation_batch(identifier(text)).status().await?)
        }
        OperationId::ListBugs => {
            let severity: BugSeverity = identifier(text);
            let bugs = checksum.bugs().status(BugStatus::NeedsTriage);
            let bugs = bugs
                .severity(severity)
                .search("")
                .tag(text)
                .tag("")
                .tag("plain");
            let bugs = bugs.project(text).collection_name(text);
            drop(bugs.limit(1).offset(u64::MAX).first_page().await?);
        }
    }
    Ok(())
}
