//! The results of many tests are decoded while they arrive: the body is not kept, and what is seen of
//! it from outside is as for a small one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use checksum_api::types::TestRunResults;
use checksum_api::{ApiKey, Client, ClientBuilder, Error, ErrorKind};
use checksum_tests::fake_transport::KEY;
use futures_util::stream;
use serde_json::{Value, json};

const TESTS: usize = 2_000;
/// How much of the body of an error is kept.
const EXCERPT: usize = 64 * 1024;

/// Returns a client to which the body arrives in parts of 10,000 bytes.
fn client(body: &Value) -> ClientBuilder {
    let body = Bytes::from(body.to_string());
    let key = ApiKey::new(KEY).expect("a key");
    Client::builder(key).transport(move |_| {
        let parts = body.chunks(10_000).map(|part| Ok(body.slice_ref(part)));
        let parts: Vec<std::io::Result<Bytes>> = parts.collect();
        let body = reqwest::Body::wrap_stream(stream::iter(parts));
        std::future::ready(Ok(http::Response::new(body).into()))
    })
}

async fn results(client: ClientBuilder) -> Result<TestRunResults, Error> {
    let client = client.build().expect("a client");
    client.get_test_run_results().id("run-id").execute().await
}

fn body(change: impl Fn(usize, &mut Value)) -> Value {
    let tests = (0..TESTS).map(|number| {
        let mut test = json!({
            "checksumTestId": format!("test-{number}"),
            "status": "passed",
            "errorMessage": null,
            "healthStatus": "healthy",
            "testTitle": format!("Title {number}"),
            "testFilePath": "a.spec.ts",
            "tags": ["smoke"],
            "unknown": number,
        });
        change(number, &mut test);
        test
    });
    json!({ "id": "run-id", "status": "passed", "tests": tests.collect::<Value>(), "more": KEY })
}

#[tokio::test]
async fn every_field_is_decoded_or_dropped() {
    for odd in [
        "",
        "errorMessage",
        "healthStatus",
        "testTitle",
        "testFilePath",
        "tags",
    ] {
        let body = body(|_, test| {
            if !odd.is_empty() {
                test[odd] = json!({ "is": 7 });
            }
        });
        let results = results(client(&body)).await.expect("results");
        assert_eq!(results.tests.len(), TESTS);
        let last = &results.tests[TESTS - 1];
        assert_eq!(last.checksum_test_id.as_str(), "test-1999");
        assert_eq!(last.test_title.is_none(), odd == "testTitle");
        assert_eq!(last.tags.is_empty(), odd == "tags");
        assert_eq!(last.extra["unknown"], TESTS - 1);
        assert_eq!(results.extra["more"], KEY);
    }
}

#[tokio::test]
async fn the_body_is_kept_for_who_wants_it() {
    let body = body(|_, _| {});
    let length = body.to_string().len();
    let client = client(&body).build().expect("a client");
    let request = client.get_test_run_results().id("run-id");
    let (results, response) = request.execute_with_response().await.expect("results");
    assert_eq!((results.tests.len(), response.body.len()), (TESTS, length));

    let inspected = Arc::new(AtomicUsize::new(0));
    let seen = inspected.clone();
    let client = client.inspect_responses(move |response| {
        seen.store(response.body.len(), Ordering::Relaxed);
    });
    let again = client.get_test_run_results().id("run-id").execute().await;
    assert_eq!(again.expect("results"), results);
    assert_eq!(inspected.load(Ordering::Relaxed), length);
}

#[tokio::test]
async fn an_error_says_where_and_has_the_beginning_of_the_body() {
    let without_status = body(|number, test| {
        if number == 1_500 {
            test["status"] = json!({ "key": KEY });
        }
    });
    let error = results(client(&without_status))
        .await
        .expect_err("a status is an object");
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    let text = error.to_string();
    assert!(
        text.contains("unexpected response at `tests[1500].status`: invalid type"),
        "{text}"
    );
    let response = error.response().expect("a response");
    let text = without_status.to_string();
    assert_eq!(response.body, &text.as_bytes()[..EXCERPT]);
}

#[tokio::test]
async fn the_limit_counts_what_is_not_kept() {
    let body = body(|_, _| {});
    let length = body.to_string().len();
    for (limit, is_enough) in [(length, true), (length - 1, false)] {
        let results = results(client(&body).max_response_bytes(limit)).await;
        let kind = results.err().map(|error| error.kind());
        assert_eq!(kind.is_none(), is_enough);
        assert!(
            kind.is_none_or(|kind| kind == ErrorKind::TooLarge),
            "{kind:?}"
        );
    }
}
