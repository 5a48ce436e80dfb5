//! `checksum attachments`.

use std::fs;

use serde_json::json;
use wiremock::matchers::path;
use wiremock::{MockServer, ResponseTemplate};

use crate::invocation::{checksum, exec};
use crate::transcript::{FORMATS, TEST_RUN, after_a_run};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_is_listed_and_fails_the_command() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    // A file in the place of a directory.
    fs::write(directory.path().join("test-def-456"), "").expect("a file");
    let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
    let invocation = checksum(&mock.url(), &arguments).argument(directory.path());
    invocation.end().exits(5).stdout_has("cannot write");
    assert!(directory.path().join("test-ghi-789").is_dir());
}

/// A server of a run with two tests: the attachments of one cannot be listed, whichever request
/// comes first.
async fn half_listed() -> MockServer {
    let server = MockServer::start().await;
    let test_run = format!("/public-api/v1/test-runs/{TEST_RUN}");
    let results = json!({ "id": TEST_RUN, "status": "failed", "tests": [
        { "checksumTestId": "test-def-456", "status": "failed", "tags": [] },
        { "checksumTestId": "test-ghi-789", "status": "bug", "tags": [] },
        // A second result of the same test.
        { "checksumTestId": "test-ghi-789", "status": "bug", "tags": [] },
        { "checksumTestId": "test-jkl-012", "status": "recovered", "tags": [] },
    ] });
    let list = json!([{ "url": "/files/trace.zip" }]);
    for (at, status, body) in [
        (format!("{test_run}/results"), 200, results),
        (
            format!("{test_run}/tests/test-def-456/attachments"),
            403,
            json!({}),
        ),
        (
            format!("{test_run}/tests/test-ghi-789/attachments"),
            200,
            list,
        ),
        ("/files/trace.zip".to_owned(), 200, json!("a trace")),
    ] {
        let response = ResponseTemplate::new(status).set_body_json(body);
        let mock = wiremock::Mock::given(path(at)).respond_with(response);
        mock.mount(&server).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_cannot_be_listed_does_not_stop_the_others() {
    let server = half_listed().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for arguments in [
        format!("attachments {TEST_RUN} --failed"),
        format!("attachments {TEST_RUN} --failed --download {at}"),
    ] {
        for format in FORMATS {
            let arguments = format!("{arguments} --quiet --output {format}");
            let url = format!("{}/public-api", server.uri());
            let ended = checksum(&url, &arguments).end().exits(4);
            let (stdout, stderr) = (&ended.stdout, &ended.stderr);
            let text = format!("$ checksum {arguments}\n{stdout}--- standard error\n{stderr}\n");
            all += &text
                .replace(&server.uri(), "http://[mock]")
                .replace(at, "[directory]");
        }
    }
    insta::assert_snapshot!("unlisted_attachments", all);
    assert!(!directory.path().join("test-def-456").exists());
    assert!(directory.path().join("test-ghi-789/trace.zip").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_test_that_cannot_be_listed_is_an_error() {
    let mock = after_a_run().await;
    let arguments = format!("attachments {TEST_RUN} test-none --output json");
    let ended = exec(&mock, &arguments).exits(2);
    assert_eq!(ended.last_line()["type"], "error");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_inside_the_download_directory_are_not_followed() {
    use std::os::unix::fs::symlink;

    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for name in ["downloads", "outside"] {
        fs::create_dir(at(name)).expect("a directory");
    }
    fs::create_dir(at("downloads/test-ghi-789")).expect("a directory");
    fs::write(at("outside/file"), "old").expect("a file");
    symlink("../outside", at("downloads/test-def-456")).expect("a link");
    symlink("../../outside/file", at("downloads/test-ghi-789/trace.zip")).expect("a link");
    symlink("downloads", at("link")).expect("a link");
    // The directory that the user names may be a link.
    for directory in ["downloads", "link"] {
        let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
        let ended = checksum(&mock.url(), &arguments)
            .argument(at(directory))
            .end()
            .exits(5);
        let last = ended.last_line();
        let listed = last["attachments"].as_array().expect("a list");
        let is_rejected: Vec<bool> = listed
            .iter()
            .map(|one| {
                let error = one["error"].as_str().unwrap_or_default();
                error.contains("symbolic link") && error.contains("not followed")
            })
            .collect();
        assert_eq!(
            is_rejected,
            [true, true, true, true, false, false],
            "{last}"
        );
        assert_eq!(fs::read_dir(at("outside")).expect("a directory").count(), 1);
        assert_eq!(
            fs::read_to_string(at("outside/file")).expect("a file"),
            "old"
        );
        assert!(at("downloads/test-def-456").is_symlink());
    }
}
