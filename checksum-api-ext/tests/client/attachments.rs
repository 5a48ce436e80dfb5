//! Attachments: what is listed, and what is written to a directory.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checksum_api_ext::{AttachmentKind, Attachments, Checksum, Error, ErrorKind};
use checksum_mock::{Fault, Mock as Service, RunScript};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{client_at, client_of};

pub(crate) async fn attachments_of(checksum: &Checksum) -> Result<Attachments, Error> {
    let run = checksum.test_run("run-id".parse().expect("an id"));
    run.attachments("test-id".parse().expect("an id")).await
}

/// Returns a server that responds with this on the route of attachments.
pub(crate) async fn server_with(body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(
        "/public-api/v1/test-runs/run-id/tests/test-id/attachments",
    ))
    .respond_with(ResponseTemplate::new(200).set_body_json(body))
    .mount(&server)
    .await;
    server
}

pub(crate) async fn file(server: &MockServer, at: &str, body: &str) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_string(body))
        .mount(server)
        .await;
}

/// The names in a directory, sorted.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().expect("Unicode"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn lists_and_downloads_attachments_of_the_mock() {
    let mock = Service::start().await.expect("a mock");
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let test_run = report.test_run().expect("an id");
    let attachments = test_run
        .attachments("test-def-456".parse().expect("an id"))
        .await;
    let attachments = attachments.expect("attachments");
    let kinds: Vec<&str> = attachments.iter().map(|one| one.kind().as_str()).collect();
    assert_eq!(kinds, ["trace", "screenshot", "video"]);
    let trace = attachments
        .of_kind(&AttachmentKind::Trace)
        .next()
        .expect("a trace");
    assert_eq!(
        (trace.name(), trace.content_type()),
        ("trace.zip", Some("application/zip"))
    );
    assert_eq!(trace.raw()["kind"], "trace");
    let shown = serde_json::to_value(trace).expect("JSON");
    assert_eq!(
        (&shown["kind"], &shown["fileName"]),
        (&json!("trace"), &json!("trace.zip"))
    );
    assert_eq!(shown["url"], trace.url().as_str());

    let directory = tempfile::tempdir().expect("a directory");
    let saved = trace.download(directory.path()).await.expect("saved");
    assert_eq!(saved.path, directory.path().join("trace.zip"));
    let written = std::fs::read(&saved.path).expect("a file");
    assert!(written.starts_with(b"PK") && written.len() as u64 == saved.bytes);

    for saved in attachments.download_all(directory.path()).await {
        assert!(saved.expect("saved").bytes > 0);
    }
    let names = names_in(directory.path());
    assert_eq!(names, ["screenshot.png", "trace.zip", "video.webm"]);
}

#[tokio::test]
async fn resumes_a_broken_download_from_the_mock() {
    let mock = Service::start().await.expect("a mock");
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let test_run = report.test_run().expect("an id");
    let attachments = test_run
        .attachments("test-def-456".parse().expect("an id"))
        .await;
    let attachments = attachments.expect("attachments");
    let trace = attachments.iter().next().expect("a trace");
    let directory = tempfile::tempdir().expect("a directory");
    let whole = trace.download(directory.path()).await.expect("a file");
    let expected = std::fs::read(&whole.path).expect("a file");

    let before = mock.requests().len();
    mock.fault(Fault::truncated());
    let again = trace.download(directory.path()).await.expect("a file");
    assert_eq!(std::fs::read(&again.path).expect("a file"), expected);
    let ranges: Vec<Option<String>> = mock.requests()[before..]
        .iter()
        .map(|request| request.header("range").map(str::to_owned))
        .collect();
    let rest = format!("bytes={}-", expected.len() / 2);
    assert_eq!(ranges, [None, Some(rest)]);
}

#[tokio::test]
async fn a_response_that_is_no_list_is_kept_in_the_error() {
    let mock = Service::start().await.expect("a mock");
    let checksum = client_of(&mock);
    mock.fault(
        Fault::respond_with("\"<html>Sign in</html>\"").on_operation("get_test_attachments"),
    );
    let error = attachments_of(&checksum).await.expect_err("no list");
    assert_eq!(error.response_body(), Some(&json!("<html>Sign in</html>")));
    mock.fault(Fault::respond_with("null").on_operation("get_test_attachments"));
    let none = attachments_of(&checksum).await.expect("none");
    assert!(none.is_empty() && none.raw().is_null());
}

#[tokio::test]
async fn names_stay_within_the_directory_and_apart() {
    let long = "n".repeat(1_000_000) + ".png";
    let names = [
        "../../up.txt",
        "/etc/passwd",
        "..",
        "a.png",
        "A.PNG",
        "a.png",
        "CON",
        &long,
    ];
    let list: Vec<Value> = (0..)
        .zip(names)
        .map(|(index, name)| json!({ "name": name, "url": format!("/f/{index}") }))
        .collect();
    let server = server_with(json!({ "attachments": list })).await;
    for index in 0..names.len() {
        file(&server, &format!("/f/{index}"), &index.to_string()).await;
    }
    let attachments = attachments_of(&client_at(&server.uri()))
        .await
        .expect("a list");
    let outer = tempfile::tempdir().expect("a directory");
    let directory = outer.path().join("inner");
    for (index, saved) in attachments
        .download_all(&directory)
        .await
        .into_iter()
        .enumerate()
    {
        let saved = saved.expect("saved");
        assert_eq!(saved.path.parent(), Some(&*directory));
        let text = std::fs::read_to_string(&saved.path).expect("a file");
        assert_eq!(text, index.to_string());
    }
    assert_eq!(names_in(outer.path()), ["inner"]);
    let written: HashSet<String> = names_in(&directory)
        .iter()
        .map(|name| name.to_lowercase())
        .collect();
    assert_eq!(written.len(), names.len());
    // The service's own names are for reading.
    assert_eq!(
        attachments.iter().next().expect("one").name(),
        "../../up.txt"
    );
}

#[tokio::test]
async fn a_failed_download_leaves_no_file_and_does_not_stop_the_others() {
    let list = json!([{ "url": "/gone.zip" }, { "url": "/there.zip" }]);
    let server = server_with(list).await;
    file(&server, "/there.zip", "there").await;
    let attachments = attachments_of(&client_at(&server.uri()))
        .await
        .expect("a list");
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("gone.zip"), "the old one").expect("written");
    let saved = attachments.download_all(directory.path()).await;
    assert!(saved[0].as_ref().expect_err("gone").is_not_found());
    assert_eq!(saved[1].as_ref().expect("saved").bytes, 5);
    assert_eq!(names_in(directory.path()), ["gone.zip", "there.zip"]);
    let old = std::fs::read_to_string(directory.path().join("gone.zip")).expect("a file");
    assert_eq!(old, "the old one");
}

#[tokio::test(start_paused = true)]
async fn max_concurrent_limits_downloads_in_flight() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (under_way.clone(), most.clone());
    let list: Vec<String> = (0..20).map(|index| format!("/f/{index}.zip")).collect();
    let checksum = Checksum::builder()
        .api_key(crate::KEY.parse().expect("a key"))
        .base_url("https://checksum.invalid".parse().expect("a URL"))
        .transport(move |request: reqwest::Request| {
            let (now, peak) = (now.clone(), peak.clone());
            let list = json!(list).to_string();
            async move {
                if request.url().path().starts_with("/public-api") {
                    return Ok(http::Response::new(list).into());
                }
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(http::Response::new("x".to_owned()).into())
            }
        })
        .build()
        .expect("a client");
    let attachments = attachments_of(&checksum).await.expect("a list");
    let directory = tempfile::tempdir().expect("a directory");
    let saved = attachments
        .download_all(directory.path())
        .max_concurrent(3)
        .await;
    assert!(saved.iter().all(Result::is_ok));
    assert_eq!((saved.len(), most.load(Ordering::SeqCst)), (20, 3));
}

#[tokio::test]
async fn urls_with_access_tokens_are_not_printed() {
    let list = json!([{ "url": "https://files.example/trace.zip?signature=hunter2" }]);
    let server = server_with(list).await;
    let attachments = attachments_of(&client_at(&server.uri()))
        .await
        .expect("a list");
    let one = attachments.iter().next().expect("one");
    let download = one.download("somewhere");
    for shown in [
        format!("{attachments:?}"),
        format!("{one:?}"),
        format!("{download:?}"),
    ] {
        assert!(shown.contains("trace.zip"), "{shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains(crate::KEY),
            "{shown}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_regular_files_are_replaced_in_a_download_directory() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let names = ["link", "dangling", "pipe", "directory", "file"];
    let list: Vec<String> = names.iter().map(|name| format!("/{name}.zip")).collect();
    let server = server_with(json!(list)).await;
    for name in &list {
        file(&server, name, "new").await;
    }
    let attachments = attachments_of(&client_at(&server.uri()))
        .await
        .expect("a list");
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("real")).expect("a directory");
    // The directory that the caller names may be a link.
    symlink("real", at("inside")).expect("a link");
    std::fs::write(at("outside"), "old").expect("written");
    symlink("../outside", at("inside/link.zip")).expect("a link");
    symlink("../nowhere", at("inside/dangling.zip")).expect("a link");
    std::fs::create_dir(at("inside/directory.zip")).expect("a directory");
    std::fs::write(at("inside/file.zip"), "old").expect("written");
    let made = std::process::Command::new("mkfifo")
        .arg(at("inside/pipe.zip"))
        .status();
    assert!(made.expect("mkfifo runs").success());

    let saved = attachments.download_all(at("inside")).await;
    for (index, reason) in [
        (0, "a symbolic link has its name"),
        (1, "a symbolic link has its name"),
        (2, "something that is no file has its name"),
        (3, "something that is no file has its name"),
    ] {
        let error = saved[index].as_ref().expect_err(names[index]);
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(saved[4].as_ref().expect("saved").bytes, 3);
    let one = attachments.iter().next().expect("one");
    one.download(at("inside")).await.expect_err("a link");

    let kind = |name: &str| {
        std::fs::symlink_metadata(at(name))
            .expect("there")
            .file_type()
    };
    assert!(kind("inside/link.zip").is_symlink() && kind("inside/dangling.zip").is_symlink());
    assert!(kind("inside/pipe.zip").is_fifo());
    assert_eq!(
        std::fs::read_to_string(at("outside")).expect("a file"),
        "old"
    );
    assert_eq!(names_in(&at("real")).len(), 5);
    assert_eq!(names_in(directory.path()), ["inside", "outside", "real"]);
    // Nothing was requested in vain.
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn an_empty_file_is_kept_where_the_service_announced_it() {
    let list = json!([{ "url": "/a.txt", "size": 0 }, { "url": "/b.txt" }]);
    let server = server_with(list).await;
    file(&server, "/a.txt", "").await;
    file(&server, "/b.txt", "").await;
    let attachments = attachments_of(&client_at(&server.uri()))
        .await
        .expect("a list");
    let directory = tempfile::tempdir().expect("a directory");
    let saved = attachments.download_all(directory.path()).await;
    assert_eq!(saved[0].as_ref().expect("saved").bytes, 0);
    assert!(
        saved[1]
            .as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::UnexpectedResponse)
    );
    assert_eq!(names_in(directory.path()), ["a.txt"]);
}
