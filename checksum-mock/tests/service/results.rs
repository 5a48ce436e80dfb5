//! What there is to read of a finished run: results, report, attachments.

use checksum_mock::{RunScript, TestScript};
use serde_json::json;

use crate::server::{RUN_ID, TESTS, server};

#[tokio::test]
async fn results_have_the_tests_of_the_run() {
    let server = server();
    let script = RunScript::new().fail_tests(["test-def-456"]);
    server.next_run(script.branch("feature/x"));
    let body = json!({ "testIds": ["test-abc-123", "test-def-456"] });
    let started = server.post(TESTS, body).await.ok();
    let id = server.finish(started["name"].as_str().unwrap()).await;

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
    assert_eq!(server.get(&path).await.ok(), expected);
    expected["tests"] = json!([failed]);
    let filtered = server.get(&format!("{path}?status=failed")).await.ok();
    assert_eq!(filtered, expected);
}

#[tokio::test]
async fn a_scripted_test_is_returned_as_scripted() {
    let server = server();
    let test = TestScript::new("t").title("Title").file("a.spec.ts");
    let tests = [test.tags(["x"]).fails("Boom")];
    let id = server.finished_run(RunScript::new().tests(tests)).await;
    let results = server.get(&format!("/v1/test-runs/{id}/results")).await;
    assert_eq!(
        results.ok()["tests"],
        json!([{
            "checksumTestId": "t", "testTitle": "Title", "testFilePath": "a.spec.ts",
            "status": "failed", "errorMessage": "Boom", "healthStatus": "flaky", "tags": ["x"],
        }])
    );
}

#[tokio::test]
async fn only_a_finished_run_has_results_and_only_by_its_test_run_id() {
    let server = server();
    let job = server.start_suite().await;
    for what in ["results", "report", "tests/test-abc-123/attachments"] {
        let early = server.get(&format!("/v1/test-runs/{RUN_ID}/{what}")).await;
        assert!(early.rejection(404).contains("has ended"));
        let by_job = server.get(&format!("/v1/test-runs/{job}/{what}")).await;
        assert!(by_job.rejection(404).contains("job name"));
    }
    server.get("/v1/test-runs/latest").await.rejection(404);
}

#[tokio::test]
async fn the_latest_run_is_the_last_to_finish() {
    let server = server();
    let slow = server.start_suite().await;
    let fast = server.start_suite().await;
    server.finish(&fast).await;
    let id = server.finish(&slow).await;
    assert_eq!(
        server.get("/v1/test-runs/latest").await.ok(),
        json!({
            "id": id, "status": "passed", "branch": "main",
            "passed": 6, "failed": 0, "recovered": 0, "bug": 0,
        })
    );
}

#[tokio::test]
async fn the_report_is_an_escaped_page() {
    let server = server();
    let tests = [TestScript::new("t").title("a < b & c")];
    let id = server.finished_run(RunScript::new().tests(tests)).await;
    let report = server.get(&format!("/v1/test-runs/{id}/report")).await.ok();
    let page = server.download(&report["url"]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(page.body.unwrap()).unwrap();
    assert!(page.contains("<td>a &lt; b &amp; c<td>passed"), "{page}");
}

#[tokio::test]
async fn attachments_are_files_of_their_kind() {
    let server = server();
    let id = server.finished_run(RunScript::new()).await;
    let path = format!("/v1/test-runs/{id}/tests/test-def-456/attachments");
    let attachments = server.get(&path).await.ok();
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
        let file = server.download(&attachment["url"]).await;
        assert_eq!(file.headers["content-type"], content_type);
        assert!(file.body.unwrap().starts_with(head), "{kind}");
    }
    let other = server.get(&path.replace("def-456", "none")).await;
    other.rejection(404);
}

#[tokio::test]
async fn a_range_of_a_file_can_be_downloaded() {
    let server = server();
    let id = server.finished_run(RunScript::new()).await;
    let path = format!("/files/{id}/0/trace.zip");
    let get = async |headers: &[(&str, &str)]| server.get_with(&path, headers).await;
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
    let range = format!("bytes */{length}");
    assert_eq!(beyond.headers["content-range"], range.as_str());
    for headers in [
        &[("range", "bytes=10-"), ("if-range", "\"other\"")][..],
        &[("range", "bytes=0-1,4-5")],
        &[("range", "lines=1-2")],
    ] {
        let response = get(headers).await;
        assert_eq!(response.status, 200, "{headers:?}");
        assert_eq!(response.body.unwrap(), whole);
    }
}

#[tokio::test]
async fn unknown_files_are_not_found() {
    let server = server();
    let id = server.finished_run(RunScript::new()).await;
    for path in [
        format!("/{id}"),
        format!("/{id}/other.html"),
        format!("/{id}/0/other.zip"),
        format!("/{id}/6/trace.zip"),
        format!("/{id}/../{id}/report.html"),
        "/other/report.html".to_owned(),
    ] {
        let url = json!(format!("https://checksum.invalid/files{path}"));
        server.download(&url).await.rejection(404);
    }
}
