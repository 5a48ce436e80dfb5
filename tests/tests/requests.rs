//! Every request as it goes out: the least that an operation takes, everything it takes, and
//! values that have to be escaped.

use checksum_api::{OperationId, types};
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
        operations::call_with(&client, *id, AWKWARD).await;
        operations::call_with(&client, *id, &long()).await;
        insta::assert_snapshot!(format!("awkward {id}"), wire.take().join("\n"));
    }
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
