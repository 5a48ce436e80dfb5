//! Every request as it goes out: the least that an operation takes, everything it takes, and
//! values that have to be escaped.

use checksum_api::{Client, OperationId, types};
use checksum_tests::{Wire, operations};

/// Every character that means something in a URL, in JSON or to a shell, and some that mean
/// nothing anywhere.
const AWKWARD: &str = "a b/c?d=e&f#g%41+\"'<>;,|{}[]^`~é漢😀\u{202e}";

fn identifier<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn long() -> String {
    "x".repeat(10_000)
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

#[tokio::test]
async fn the_least_of_each() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    for id in OperationId::ALL {
        let called = operations::call(&client, *id).await;
        called.unwrap_or_else(|error| panic!("{id}: {error}"));
        let requests = wire.take();
        assert_eq!(requests.len(), 1, "{id}");
        insta::assert_snapshot!(format!("least {id}"), requests[0]);
    }
}

#[tokio::test]
async fn everything_of_each_and_awkward() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    for id in OperationId::ALL {
        awkward(&client, *id, AWKWARD).await;
        awkward(&client, *id, &long()).await;
        insta::assert_snapshot!(format!("awkward {id}"), wire.take().join("\n"));
    }
}

/// Calls an operation with every parameter and member that it has, each holding the text.
async fn awkward(client: &Client, operation: OperationId, text: &str) {
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

/// The fields that the service's description does not have.
#[tokio::test]
async fn observed_fields() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    let heal = with(types::AutoHeal::new(), |heal| {
        heal.auto_create_pr = Some(false);
        let metadata = [(AWKWARD.to_owned(), AWKWARD.into())];
        heal.metadata = Some(types::Metadata(metadata.into_iter().collect()));
    });
    let suite = with(types::RunSuiteRequest::new(), |suite| {
        suite.suite_ids = vec![identifier(AWKWARD), identifier(" ")];
        suite.auto_heal = Some(heal);
    });
    client.run_suite().body(suite).execute().await.expect("run");
    let grep = types::RunGrepV2Request::new(identifier(AWKWARD));
    let grep = with(grep, |grep| {
        grep.shard_count = Some(4.try_into().expect("a count"))
    });
    client
        .run_grep_v2()
        .body(grep)
        .execute()
        .await
        .expect("run");
    insta::assert_snapshot!(wire.take().join("\n"));
}

/// What would turn one request into another is refused before it is one.
#[tokio::test]
async fn ids_that_would_change_the_path_are_not_sent() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    let mut told = Vec::new();
    for id in ["", ".", "..", "a\\b", "a\nb", "\u{0}", "\u{85}"] {
        let call = client.get_run_status().job_name(id).execute();
        let error = call.await.expect_err("refused");
        told.push(format!("{id:?}: {error}"));
    }
    assert_eq!(wire.take(), Vec::<String>::new());
    insta::assert_snapshot!(told.join("\n"));
}
