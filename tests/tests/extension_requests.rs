//! Every request of the extension crate as it goes out: the least that a call takes, and everything
//! it takes, with values that have to be escaped.

use checksum_api::OPERATIONS;
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
    for operation in OPERATIONS {
        let id = operation.id;
        least(&checksum, id).await.expect(id);
        let least = wire.take();
        assert_eq!(least.len(), 1, "{id}");
        everything(&checksum, id, AWKWARD).await.expect(id);
        everything(&checksum, id, &"x".repeat(10_000))
            .await
            .expect(id);
        let everything = wire.take();
        assert_eq!(everything.len(), 2, "{id}");
        let name = format!("extension {id}");
        insta::assert_snapshot!(name, [least, everything].concat().join("\n"));
    }
}

fn run(checksum: &Checksum, name: &str, version: ApiVersion) -> checksum_api_ext::Run {
    checksum.resume(RunHandle::new(identifier(name)).pin(version))
}

/// The call that stands for an operation, with nothing that it can do without.
async fn least(checksum: &Checksum, operation: &str) -> Result<(), Error> {
    let test_run = checksum.test_run(identifier("run-id"));
    match operation {
        "get_project" => drop(checksum.project().await?),
        "run_suite" => drop(checksum.run_suite().start().await?),
        "run_collection" => {
            let collection = identifier("collection-abc-123");
            drop(checksum.run_collection(collection).start().await?);
        }
        "run_tests" => drop(checksum.run_tests([identifier("id1")]).start().await?),
        #[expect(deprecated, reason = "it is an operation all the same")]
        "run_grep" => drop(checksum.run_grep_v1("checkout").start().await?),
        "run_grep_v2" => drop(checksum.run_grep("checkout").start().await?),
        "get_run_status" => drop(run(checksum, "job-name", ApiVersion::V1).status().await?),
        "get_run_status_v2" => drop(run(checksum, "job-name", ApiVersion::V2).status().await?),
        "get_test_run_results" => drop(test_run.results().await?),
        "get_test_run_report" => drop(test_run.report().await?),
        "get_test_attachments" => drop(test_run.test(identifier("id1")).attachments().await?),
        "get_latest_test_run" => drop(checksum.latest_test_run().await?),
        "trigger_auto_heal" => drop(test_run.heal().without_pull_request().start().await?),
        "get_heal_batch" => drop(checksum.heal_batch(identifier("batch-1")).status().await?),
        "trigger_auto_generate" => {
            let repository = identifier("acme-co/webapp");
            drop(checksum.generate(repository, 1, "feature").start().await?);
        }
        "get_generation_batch" => {
            let batch = checksum.generation_batch(identifier("batch-1"));
            drop(batch.status().await?);
        }
        "list_bugs" => drop(checksum.bugs().first_page().await?),
        other => panic!("no operation `{other}`"),
    }
    Ok(())
}

/// The same with everything that the call can be given, each holding the text, and with a member
/// that this version does not know.
async fn everything(checksum: &Checksum, operation: &str, text: &str) -> Result<(), Error> {
    let test_run = checksum.test_run(identifier(text));
    let auto_heal = AutoHeal::pull_request(identifier(text))
        .branch(text)
        .pr(u64::MAX)
        .member(text, text);
    match operation {
        "get_project" => drop(checksum.project().await?),
        "run_suite" => {
            let run = checksum.run_suite().auto_heal(auto_heal).member(text, 1);
            drop(run.start().await?);
        }
        "run_collection" => {
            let run = checksum.run_collection(identifier(text));
            drop(run.auto_heal(auto_heal).member(text, 1).start().await?);
        }
        "run_tests" => {
            let run = checksum.run_tests([identifier(text), identifier(" ")]);
            drop(run.auto_heal(auto_heal).member(text, 1).start().await?);
        }
        #[expect(deprecated, reason = "it is an operation all the same")]
        "run_grep" => drop(checksum.run_grep_v1(text).member(text, 1).start().await?),
        "run_grep_v2" => {
            let run = checksum.run_grep(text).branch(text).env(text, text);
            let run = run.env("EMPTY", "").auto_heal(auto_heal).member(text, 1);
            drop(run.start().await?);
        }
        "get_run_status" => drop(run(checksum, text, ApiVersion::V1).status().await?),
        "get_run_status_v2" => drop(run(checksum, text, ApiVersion::V2).status().await?),
        "get_test_run_results" => {
            let status: TestStatus = identifier(text);
            drop(test_run.results().status(status).await?);
        }
        "get_test_run_report" => drop(test_run.report().await?),
        "get_test_attachments" => drop(test_run.test(identifier(text)).attachments().await?),
        "get_latest_test_run" => drop(checksum.latest_test_run().await?),
        "trigger_auto_heal" => {
            let heal = test_run.heal().pull_request(identifier(text)).branch(text);
            let heal = heal.pr(u64::MAX).metadata(text, text).member(text, 1);
            drop(heal.start().await?);
        }
        "get_heal_batch" => drop(checksum.heal_batch(identifier(text)).status().await?),
        "trigger_auto_generate" => {
            // Its owner and its name are apart, and neither has a space.
            let repository = format!("acme-co/{}", text.replace(['/', ' '], "_"));
            let generate = checksum.generate(identifier(&repository), u64::MAX, text);
            let generate = generate.env(text, text).env("EMPTY", "");
            let generate = generate.metadata(text, text).member(text, 1);
            drop(generate.start().await?);
        }
        "get_generation_batch" => drop(checksum.generation_batch(identifier(text)).status().await?),
        "list_bugs" => {
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
        other => panic!("no operation `{other}`"),
    }
    Ok(())
}
