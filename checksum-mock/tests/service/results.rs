use axum::body::Body;
use checksum_mock::{RunScript, TestScript};
use http::Request;
use serde_json::json;

use crate::client::{Client, mock};

#[tokio::test]
async fn results_follow_from_what_was_run() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(
        RunScript::new()
            .fail_tests(["test-def-456"])
            .branch("feature/x"),
    );
    let body = json!({ "testIds": ["test-abc-123", "test-def-456"] });
    let accepted = client.post("/v1/execution/tests", body).await.ok();
    let id = client.follow(accepted["name"].as_str().unwrap()).await;

    let failed = json!({
        "checksumTestId": "test-def-456",
        "testTitle": "User can complete checkout",
        "testFilePath": "checksum/tests/checkout.spec.ts",
        "status": "failed",
        "errorMessage": "Timeout waiting for selector #pay-button",
        "healthStatus": "flaky",
        "tags": ["checkout"],
    });
    let passed = json!({
        "checksumTestId": "test-abc-123",
        "testTitle": "User can add item to cart",
        "testFilePath": "checksum/tests/cart.spec.ts",
        "status": "passed",
        "errorMessage": null,
        "healthStatus": "healthy",
        "tags": ["smoke", "cart"],
    });
    let mut expected = json!({
        "id": id, "status": "failed", "branch": "feature/x",
        "passed": 1, "failed": 1, "recovered": 0, "bug": 0,
        "tests": [passed, failed.clone()],
    });
    let path = format!("/v1/test-runs/{id}/results");
    assert_eq!(client.get(&path).await.ok(), expected);
    expected["tests"] = json!([failed]);
    let filtered = client.get(&format!("{path}?status=failed")).await.ok();
    assert_eq!(filtered, expected);
}

#[tokio::test]
async fn a_scripted_test_is_shown_as_it_was_scripted() {
    let mock = mock();
    let client = Client::of(&mock);
    let test = TestScript::new("t")
        .title("Title")
        .file("a.spec.ts")
        .tags(["x"])
        .fails("Boom");
    mock.next_run(RunScript::new().tests([test]).end_state("failed"));
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let results = client.get(&format!("/v1/test-runs/{id}/results")).await;
    assert_eq!(
        results.ok()["tests"],
        json!([{
            "checksumTestId": "t", "testTitle": "Title", "testFilePath": "a.spec.ts",
            "status": "failed", "errorMessage": "Boom", "healthStatus": "flaky", "tags": ["x"],
        }])
    );
}

#[tokio::test]
async fn there_are_none_before_the_run_has_ended_and_none_by_job_name() {
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let id = "00000000-0000-4000-8000-000000000001";
    for what in ["results", "report", "tests/test-abc-123/attachments"] {
        let early = client.get(&format!("/v1/test-runs/{id}/{what}")).await;
        assert!(early.rejection(404).contains("has ended"));
        let by_job = client.get(&format!("/v1/test-runs/{job}/{what}")).await;
        assert!(by_job.rejection(404).contains("job name"));
    }
    client.get("/v1/test-runs/latest").await.rejection(404);
}

#[tokio::test]
async fn the_latest_run_is_the_one_that_ended_last() {
    let mock = mock();
    let client = Client::of(&mock);
    let slow = client.start_suite().await;
    let fast = client.start_suite().await;
    client.follow(&fast).await;
    let id = client.follow(&slow).await;
    let latest = client.get("/v1/test-runs/latest").await.ok();
    assert_eq!(
        latest,
        json!({
            "id": id, "status": "passed", "branch": "main",
            "passed": 6, "failed": 0, "recovered": 0, "bug": 0,
        })
    );
}

#[tokio::test]
async fn the_report_is_a_page() {
    let mock = mock();
    let client = Client::of(&mock);
    mock.next_run(RunScript::new().tests([TestScript::new("t").title("a < b & c")]));
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let report = client.get(&format!("/v1/test-runs/{id}/report")).await.ok();
    let page = client.download(&report["url"]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(page.body.unwrap()).unwrap();
    assert!(page.contains("<td>a &lt; b &amp; c<td>passed"), "{page}");
}

#[tokio::test]
async fn attachments_have_bytes() {
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let path = format!("/v1/test-runs/{id}/tests/test-def-456/attachments");
    let attachments = client.get(&path).await.ok();
    let expected: [(&str, &str, &[u8]); 3] = [
        ("trace", "application/zip", b"PK\x03\x04"),
        ("screenshot", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("video", "video/webm", b"\x1a\x45\xdf\xa3"),
    ];
    let list = attachments["attachments"].as_array().unwrap();
    assert_eq!(list.len(), expected.len());
    for (attachment, (kind, content_type, head)) in list.iter().zip(expected) {
        assert_eq!(attachment["kind"], kind);
        assert_eq!(attachment["contentType"], content_type);
        let file = client.download(&attachment["url"]).await;
        assert_eq!(file.headers["content-type"], content_type);
        assert!(file.body.unwrap().starts_with(head), "{kind}");
    }
    let other = client.get(&path.replace("def-456", "none")).await;
    other.rejection(404);
}

#[tokio::test]
async fn a_part_of_a_file_can_be_asked_for() {
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    let path = format!("/files/{id}/0/trace.zip");
    let get = async |headers: &[(&str, &str)]| {
        let mut request = Request::get(&path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send(request.body(Body::empty()).unwrap()).await
    };
    let whole = get(&[]).await;
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    let whole = whole.body.unwrap();
    let length = whole.len();

    let rest = get(&[("range", "bytes=10-"), ("if-range", &tag)]).await;
    assert_eq!(rest.status, 206);
    let range = format!("bytes 10-{}/{length}", length - 1);
    assert_eq!(rest.headers["content-range"], range.as_str());
    assert_eq!(rest.body.unwrap(), whole[10..]);
    let last = get(&[("range", "bytes=-1")]).await;
    assert_eq!(last.body.unwrap(), whole[length - 1..]);
    let beyond = get(&[("range", "bytes=100000-")]).await;
    assert_eq!(beyond.status, 416);
    for headers in [
        [("range", "bytes=10-"), ("if-range", "\"other\"")],
        [("range", "bytes=0-1,4-5"), ("accept", "*/*")],
        [("range", "lines=1-2"), ("accept", "*/*")],
    ] {
        let response = get(&headers).await;
        assert_eq!(response.status, 200, "{headers:?}");
        assert_eq!(response.body.unwrap(), whole);
    }
}

#[tokio::test]
async fn files_that_are_not_there_are_refused() {
    let mock = mock();
    let client = Client::of(&mock);
    let job = client.start_suite().await;
    let id = client.follow(&job).await;
    for path in [
        format!("/{id}"),
        format!("/{id}/other.html"),
        format!("/{id}/0/other.zip"),
        format!("/{id}/6/trace.zip"),
        format!("/{id}/../{id}/report.html"),
        "/other/report.html".to_owned(),
    ] {
        let url = json!(format!("https://checksum.invalid/files{path}"));
        client.download(&url).await.rejection(404);
    }
}
