use checksum_api_ext::{BatchId, RunHandle};
use serde_json::json;

use crate::{KEY, scripted};

/// A base URL may lead to a service that repeats what it is sent.
#[tokio::test]
async fn an_echo_is_no_answer_and_shows_no_key() {
    let echo = |request: &reqwest::Request| {
        let headers = format!("{}: Bearer {KEY}", request.url());
        scripted::json(
            200,
            &json!({ "headers": [{ "authorization": headers, KEY: [KEY] }] }),
        )
    };
    let checksum = scripted::client(echo);
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
        let error = error.unwrap_or_else(|| panic!("number {number} is content"));
        let shown = format!("{error} {error:?} {:?}", error.response_body());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
