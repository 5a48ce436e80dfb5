//! Where files are written: links, pipes, devices and paths that cannot be written.

use std::time::Duration;

use checksum_api_ext::{Checksum, ErrorKind, HtmlReport};
use wiremock::{MockServer, ResponseTemplate};

use super::*;
use crate::attachments::names_in;
use crate::{KEY, client_at};

/// A server whose report is `text`.
async fn report_with(text: &str) -> (MockServer, HtmlReport) {
    let server = server_with_report("/r.html").await;
    let response = ResponseTemplate::new(200).set_body_string(text);
    page(&server, "/r.html", response).await;
    let report = report_of(&client_at(&server.uri())).await;
    (server, report)
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_the_caller_names_is_followed() {
    use std::os::unix::fs::symlink;

    let (_server, report) = report_with("new").await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("elsewhere")).expect("a directory");
    std::fs::write(at("elsewhere/old.html"), "old").expect("written");
    for (link, target, file) in [
        (
            "relative",
            "elsewhere/old.html".into(),
            "elsewhere/old.html",
        ),
        ("absolute", at("elsewhere/old.html"), "elsewhere/old.html"),
        ("to a link", "relative".into(), "elsewhere/old.html"),
        (
            "to nothing",
            "elsewhere/new.html".into(),
            "elsewhere/new.html",
        ),
    ] {
        symlink(&target, at(link)).expect("a link");
        let saved = report.download(at(link)).await.expect("saved");
        assert_eq!((saved.path, saved.bytes), (at(link), 3));
        assert_eq!(std::fs::read_link(at(link)).expect("still a link"), target);
        assert_eq!(std::fs::read_to_string(at(file)).expect("a file"), "new");
        std::fs::write(at(file), "old").expect("written");
    }
    symlink("circle", at("circle")).expect("a link");
    let error = report.download(at("circle")).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(names_in(&at("elsewhere")), ["new.html", "old.html"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_or_device_that_the_caller_names_is_written_to() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let text = "x".repeat(300_000);
    let (_server, report) = report_with(&text).await;
    let directory = tempfile::tempdir().expect("a directory");
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let link = directory.path().join("link");
    symlink("pipe", &link).expect("a link");
    for path in [&pipe, &link] {
        let pipe = pipe.clone();
        let reader = std::thread::spawn(move || std::fs::read_to_string(pipe));
        let saved = report.download(path).await.expect("written");
        assert_eq!(saved.bytes, 300_000);
        let read = reader.join().expect("a reader").expect("text");
        assert!(read == text, "{} bytes", read.len());
    }
    let kind = std::fs::symlink_metadata(&pipe).expect("there").file_type();
    assert!(kind.is_fifo());
    assert_eq!(names_in(directory.path()), ["link", "pipe"]);

    let null = directory.path().join("null");
    symlink("/dev/null", &null).expect("a link");
    for path in [&null, std::path::Path::new("/dev/null")] {
        report.download(path).await.expect("written");
    }
    let kind = std::fs::metadata("/dev/null").expect("there").file_type();
    assert!(kind.is_char_device());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_pipe_without_a_reader_blocks_only_its_own_download() {
    let checksum = Checksum::builder()
        .api_key(KEY.parse().expect("a key"))
        .base_url("https://checksum.invalid".parse().expect("a URL"))
        .transport(|_| async move { Ok(http::Response::new("\"/r.html\"".to_owned()).into()) })
        .build()
        .expect("a client");
    let report = report_of(&checksum).await;
    let directory = tempfile::tempdir().expect("a directory");
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let hour = Duration::from_secs(60 * 60);
    let waited = tokio::time::timeout(hour, report.download(&pipe).into_future()).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test]
async fn a_path_that_cannot_be_written_is_named() {
    let server = server_with_report("/r.html").await;
    let report = report_of(&client_at(&server.uri())).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("written");
    for path in [file.join("below"), directory.path().join("..")] {
        let error = report.download(&path).await.expect_err("no place");
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
    // Only the URL was requested.
    assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
}
