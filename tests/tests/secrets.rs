//! What must not show: the API key, however the service repeats it.

use checksum_api_ext::{BatchId, RunHandle};
use checksum_tests::{FakeTransport, KEY};
use serde_json::json;

/// A base URL may lead to a service that returns what it is sent.
#[tokio::test]
async fn no_error_shows_the_key_of_an_echo() {
    let transport = FakeTransport::new(|request| {
        let key = request.headers["authorization"].to_str().expect("a key");
        assert_eq!(key, format!("Bearer {KEY}"));
        let echo = format!("{}: {key}", request.url);
        json!({ "headers": [{ "authorization": echo, KEY: [KEY] }] }).into()
    });
    let checksum = transport.client();
    let test_run = checksum.test_run("run-id".parse().expect("an id"));
    let test_id = "test-id".parse().expect("an id");
    let run = checksum.resume_run(RunHandle::new("job-name".parse().expect("a name")));
    let batch = checksum.resume_heal_batch(BatchId::new("batch-id").expect("an id"));
    let errors = [
        checksum.project().await.err(),
        checksum.run_suite().start().await.err(),
        run.status().await.err(),
        checksum.latest_test_run().await.err(),
        test_run.results().await.err(),
        test_run.report().await.err(),
        test_run.attachments(test_id).await.err(),
        checksum.bugs().page().await.err(),
        batch.status().await.err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("number {number} has no error"));
        let shown = format!("{error} {error:?} {:?}", error.response_body());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
