//! Every request as it goes out: the least that an operation takes, everything it takes, and
//! values that have to be escaped.

use checksum_api::{Client, OPERATIONS, types};
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
    types::AutoHeal {
        auto_create_pr: Some(true),
        branch: Some(text.to_owned()),
        pr_number: Some(types::PrNumber(u64::MAX.try_into().expect("a number"))),
        repo_name: Some(identifier(text)),
    }
}

#[tokio::test]
async fn the_least_of_each() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    for operation in OPERATIONS {
        operations::call(&client, operation.id)
            .await
            .expect(operation.id);
        let requests = wire.take();
        assert_eq!(requests.len(), 1, "{}", operation.id);
        insta::assert_snapshot!(format!("least {}", operation.id), requests[0]);
    }
}

#[tokio::test]
async fn everything_of_each_and_awkward() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    for operation in OPERATIONS {
        awkward(&client, operation.id, AWKWARD).await;
        awkward(&client, operation.id, &long()).await;
        insta::assert_snapshot!(format!("awkward {}", operation.id), wire.take().join("\n"));
    }
}

/// Calls an operation with every parameter and member that it has, each holding the text.
async fn awkward(client: &Client, operation: &str, text: &str) {
    macro_rules! call {
        ($name:ident $(. $setter:ident($value:expr))*) => {
            client.call(async |client: &Client| {
                client.$name()$(.$setter($value))*.execute().await
            }).await.map(|_| ())
        };
    }
    let owned = || text.to_owned();
    let heal = Some(auto_heal(text));
    let metadata = || types::Metadata([(owned(), text.into())].into_iter().collect());
    let environment =
        || types::EnvOverrides([(owned(), owned()), ("EMPTY".into(), "".into())].into());
    let sent = match operation {
        "get_project" => call!(get_project),
        "run_suite" => call!(run_suite.body(types::RunSuiteRequest { auto_heal: heal })),
        "run_collection" => {
            call!(
                run_collection
                    .id(text)
                    .body(types::RunCollectionRequest { auto_heal: heal })
            )
        }
        "run_tests" => call!(run_tests.body(types::RunTestsRequest {
            auto_heal: heal,
            test_ids: vec![identifier(text), identifier(" ")],
        })),
        "run_grep" => call!(run_grep.body_map(|body| body.grep(text))),
        "run_grep_v2" => call!(run_grep_v2.body(types::RunGrepV2Request {
            grep: text.parse().expect("a pattern"),
            branch: Some(owned()),
            env_overrides: Some(environment()),
            auto_heal: heal,
        })),
        "get_run_status" => call!(get_run_status.job_name(text)),
        "get_run_status_v2" => call!(get_run_status_v2.job_name(text)),
        "get_test_run_results" => {
            let status: types::TestStatus = text.parse().expect("a status");
            call!(get_test_run_results.id(text).status(status))
        }
        "get_test_run_report" => call!(get_test_run_report.id(text)),
        "get_test_attachments" => call!(get_test_attachments.run_id(text).test_id(text)),
        "get_latest_test_run" => call!(get_latest_test_run),
        "trigger_auto_heal" => call!(trigger_auto_heal.body(types::HealRequest {
            test_run_id: identifier(text),
            auto_create_pr: Some(false),
            branch: Some(String::new()),
            metadata: Some(metadata()),
            pr_number: Some(types::PrNumber(1.try_into().expect("a number"))),
            repo_name: Some(identifier(text)),
        })),
        "get_heal_batch" => call!(get_heal_batch.batch_id(text)),
        "trigger_auto_generate" => call!(trigger_auto_generate.body(types::GenerateRequest {
            pr_number: types::PrNumber(1.try_into().expect("a number")),
            repo_name: identifier(text),
            branch: owned(),
            metadata: Some(metadata()),
            env_overrides: Some(environment()),
        })),
        "get_generation_batch" => call!(get_generation_batch.batch_id(text)),
        "list_bugs" => call!(
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
        other => panic!("no operation `{other}`"),
    };
    sent.expect(operation);
}

/// What would turn one request into another is refused before it is one.
#[tokio::test]
async fn ids_that_would_change_the_path_are_not_sent() {
    let wire = Wire::default();
    let client = wire.client().api().clone();
    let mut told = Vec::new();
    for id in ["", ".", "..", "a\\b", "a\nb", "\u{0}", "\u{85}"] {
        let call =
            |client: Client| async move { client.get_run_status().job_name(id).send().await };
        let error = client.call(call).await.expect_err("refused");
        told.push(format!("{id:?}: {error}"));
    }
    assert_eq!(wire.take(), Vec::<String>::new());
    insta::assert_snapshot!(told.join("\n"));
}
