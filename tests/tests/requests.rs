//! Every request as it is sent, by the raw client and by the extension crate: minimal, and with
//! every option, whose values have to be escaped.

use checksum_api::{ErrorKind, OperationId, types};
use checksum_tests::operations::Inputs;
use checksum_tests::request_capture::{documented, text};
use checksum_tests::{FakeTransport, ext_operations, snapshot};
use serde_json::json;

/// Every character that means something in a URL, in JSON or to a shell, and some that mean
/// nothing anywhere.
const ESCAPED: &str = "a b/c?d=e&f#g%41+\"'<>;,|{}[]^`~é漢😀\u{202e}";

/// Returns the one request of each operation by the raw client.
async fn raw(inputs: &Inputs) -> Vec<String> {
    let transport = documented();
    let client = transport.client().raw().clone();
    for id in OperationId::ALL.iter().copied() {
        let called = inputs.call(&client, id).await;
        called.unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    one_of_each(&transport, OperationId::ALL)
}

/// Returns the same by the extension crate.
async fn ext(inputs: &Inputs) -> Vec<String> {
    let transport = documented();
    let checksum = transport.client();
    for id in OperationId::ALL.iter().copied() {
        let called = ext_operations::call(inputs, &checksum, id).await;
        called.unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    one_of_each(&transport, &operations_of_ext())
}

/// Returns the operations that the extension crate calls: all but the first `grep`.
fn operations_of_ext() -> Vec<OperationId> {
    let operations = OperationId::ALL.iter().copied();
    operations
        .filter(|id| *id != OperationId::RunGrep)
        .collect()
}

/// Asserts that the extension crate sends what the raw client sends.
fn assert_same(ext: Vec<String>, raw: &[String]) {
    let raw = raw.iter().filter(|one| !one.starts_with("run_grep\n"));
    for (ext, raw) in ext.iter().zip(raw) {
        assert_eq!(ext, raw);
    }
}

fn one_of_each(transport: &FakeTransport, operations: &[OperationId]) -> Vec<String> {
    let requests: Vec<String> = transport.log().iter().map(text).collect();
    let called = requests.iter().filter_map(|one| one.lines().next());
    assert!(
        called.eq(operations.iter().map(|id| id.as_str())),
        "one request for each call"
    );
    requests
}

#[tokio::test]
async fn minimal_requests() {
    let inputs = Inputs::documented();
    let requests = raw(&inputs).await;
    assert_same(ext(&inputs).await, &requests);
    snapshot!(requests.join("\n"));
}

#[tokio::test]
async fn requests_with_every_option() {
    let inputs = Inputs::all(ESCAPED);
    let requests = raw(&inputs).await;
    assert_same(ext(&inputs).await, &requests);
    let escaped = serde_json::to_string(ESCAPED).expect("JSON");
    let escaped = escaped.trim_matches('"').replace('\u{202e}', "\\u{202e}");
    snapshot!(requests.join("\n").replace(&escaped, "TEXT"));
}

/// No value is cut off, however long it is.
#[tokio::test]
async fn long_values_are_sent_in_full() {
    let short = raw(&Inputs::all("QQ")).await;
    let long = "Q".repeat(10_000);
    let shortened = |requests: Vec<String>| -> Vec<String> {
        requests
            .iter()
            .map(|one| one.replace(&long, "QQ"))
            .collect()
    };
    assert_eq!(shortened(raw(&Inputs::all(&long)).await), short);
    assert_same(shortened(ext(&Inputs::all(&long)).await), &short);
}

/// Shards and healing exclude each other, so that the options above have no shards.
#[tokio::test]
async fn a_sharded_grep_sends_its_shard_count() {
    let transport = documented();
    let checksum = transport.client();
    let mut body = types::RunGrepV2Request::new("a".parse().expect("a pattern"));
    body.shard_count = Some(4);
    let raw = checksum.raw().run_grep_v2().body(body).execute().await;
    raw.expect("a run");
    let ext = checksum
        .run_grep(checksum_api_ext::Grep::new("a").shards(4))
        .start()
        .await;
    drop(ext.expect("a run"));
    for request in transport.log() {
        assert_eq!(request.body, json!({ "grep": "a", "shardCount": 4 }));
    }
}

/// An id that would turn the request into another one is rejected before it is sent.
#[tokio::test]
async fn ids_that_would_change_the_path_are_not_sent() {
    let transport = documented();
    let client = transport.client().raw().clone();
    let operations = OperationId::ALL.iter().copied();
    for id in operations.filter(|id| id.operation().path.contains('{')) {
        for bad in ["", ".", "..", "a\\b", "a\nb", "\u{0}", "\u{85}"] {
            let inputs = Inputs {
                options: None,
                ..Inputs::all(bad)
            };
            let error = inputs.call(&client, id).await.expect_err("rejected");
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidRequest,
                "{id} {bad:?}: {error}"
            );
        }
    }
    assert_eq!(transport.requests(), Vec::<String>::new());
}
