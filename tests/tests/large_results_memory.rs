//! The memory that the results of many tests take. It is a program of its own, since the memory of all
//! its threads is counted. The allocator copies a list that grows, where the system's moves its pages, so
//! that the figures of `BENCHMARKS.md` are lower.

use bytes::Bytes;
use checksum_api::{ApiKey, Client};
use futures_util::{StreamExt, stream};
use peak_alloc::PeakAlloc;
use serde_json::json;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const TESTS: usize = 10_000;

/// Returns a client to which the results arrive test by test: nothing holds the body.
fn client(odd: &'static str) -> Client {
    let client = Client::builder(ApiKey::new("any").expect("a key")).transport(move |_| {
        let tests = stream::iter(0..TESTS).map(move |number| {
            let comma = if number == 0 { "" } else { "," };
            Ok::<_, std::io::Error>(Bytes::from(format!("{comma}{}", test(number, odd))))
        });
        let begin = Ok(Bytes::from(r#"{"id":"run-id","status":"failed","tests":["#));
        let body = stream::iter([begin])
            .chain(tests)
            .chain(stream::iter([Ok("]}".into())]));
        let body = reqwest::Body::wrap_stream(body);
        std::future::ready(Ok(http::Response::new(body).into()))
    });
    client.build().expect("a client")
}

fn test(number: usize, odd: &str) -> String {
    let mut test = json!({
        "checksumTestId": format!("test-{number}"),
        "status": "passed",
        "errorMessage": null,
        "healthStatus": "healthy",
        "testTitle": format!("User can do the thing with the number {number}"),
        "testFilePath": format!("checksum/tests/area-{}/thing.spec.ts", number % 100),
        "tags": ["smoke", "checkout"],
    });
    if !odd.is_empty() {
        test[odd] = json!({ "is": 7 });
    }
    test.to_string()
}

/// Returns the peak of the heap, over the size of the body, while `work` runs.
async fn peak<T>(odd: &str, work: impl Future<Output = Result<T, checksum_api::Error>>) -> f64 {
    let body: usize = (0..TESTS).map(|number| test(number, odd).len() + 1).sum();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let done = work.await;
    assert!(done.is_ok() || ["status", "checksumTestId"].contains(&odd));
    (MEMORY.peak_usage() - before) as f64 / body as f64
}

#[tokio::test]
async fn the_body_is_not_kept_whatever_the_fields() {
    let fields = [
        "checksumTestId",
        "status",
        "errorMessage",
        "healthStatus",
        "testTitle",
        "testFilePath",
        "tags",
    ];
    for odd in fields.into_iter().chain([""]) {
        let client = client(odd);
        let request = client.get_test_run_results().id("run-id");
        let ratio = peak(odd, request.execute()).await;
        assert!(ratio < 3.0, "{odd}: {ratio:.2}");
    }
    // Negative control: the whole body is kept for who wants it.
    let client = client("");
    let request = client.get_test_run_results().id("run-id");
    let ratio = peak("", request.execute_with_response()).await;
    assert!(ratio > 3.5, "{ratio:.2}");
}
