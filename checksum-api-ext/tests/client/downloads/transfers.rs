//! Transfers: resuming, starting again, limits and progress.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use checksum_api::ErrorKind as RawKind;
use checksum_api_ext::{Checksum, DownloadedFile, Error, ErrorKind, RetryPolicy};
use futures_util::{StreamExt, stream};
use wiremock::ResponseTemplate;

use super::*;
use crate::attachments::names_in;
use crate::raw_server::{RawServer, response};
use crate::{KEY, client_at};

/// Downloads a report from a raw server. Returns the requests that this took as well.
async fn download_from_raw_server(
    responses: &[String],
) -> (
    Result<DownloadedFile, Error>,
    Vec<(String, String)>,
    Vec<String>,
) {
    let raw_server = RawServer::responding(responses.iter().cloned());
    let server = server_with_report(&format!("{}/r.html", raw_server.origin)).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    (saved, files, raw_server.requests())
}

#[tokio::test]
async fn a_broken_transfer_is_resumed() {
    let (saved, files, requests) = download_from_raw_server(&[
        response("200 OK\netag: \"v1\"\ncontent-length: 10", "hello"),
        response("503 Service Unavailable\ncontent-length: 0", ""),
        response(
            "206 Partial Content\netag: \"v1\"\ncontent-range: bytes 5-9/10\ncontent-length: 5",
            "wo",
        ),
        response(
            "206 Partial Content\ncontent-range: bytes 7-9/10\ncontent-length: 3",
            "rld",
        ),
    ])
    .await;
    assert_eq!(
        (saved.expect("saved").bytes, files),
        (10, written("helloworld"))
    );
    assert!(!requests[0].contains("range:"), "{}", requests[0]);
    for (request, range) in [(1, "bytes=5-"), (2, "bytes=5-"), (3, "bytes=7-")] {
        let request = &requests[request];
        assert!(request.contains(&format!("range: {range}")), "{request}");
        assert!(request.contains("if-range: \"v1\""), "{request}");
        assert!(!request.contains("authorization"), "{request}");
    }
}

#[tokio::test]
async fn a_transfer_that_cannot_be_resumed_starts_again() {
    let cut = response("200 OK\netag: \"v1\"\ncontent-length: 10", "hello");
    let whole = response("200 OK\netag: \"v2\"\ncontent-length: 5", "other");
    let part = |head: &str| {
        response(
            &format!("206 Partial Content\n{head}\ncontent-length: 5"),
            "XXXXX",
        )
    };
    for between in [
        // It takes no ranges, or has another version by now.
        vec![],
        // A part that is not the missing one.
        vec![part("content-range: bytes 4-8/10")],
        vec![part("content-range: bytes 5-9/11")],
        vec![part("etag: \"v2\"\ncontent-range: bytes 5-9/10")],
        vec![part("content-type: multipart/byteranges")],
        vec![response("416 Range Not Satisfiable\ncontent-length: 0", "")],
    ] {
        let mut responses = vec![cut.clone()];
        responses.extend(between);
        responses.push(whole.clone());
        let (saved, files, requests) = download_from_raw_server(&responses).await;
        assert_eq!((saved.expect("saved").bytes, files), (5, written("other")));
        assert_eq!(requests.len(), responses.len());
    }
}

#[tokio::test]
async fn without_a_strong_etag_no_range_is_requested() {
    for tag in ["", "etag: W/\"v1\"\n"] {
        let (saved, files, requests) = download_from_raw_server(&[
            response(&format!("200 OK\n{tag}content-length: 10"), "hello"),
            response("200 OK\ncontent-length: 10", "helloworld"),
        ])
        .await;
        assert_eq!(
            (saved.expect("saved").bytes, files),
            (10, written("helloworld"))
        );
        assert!(!requests[1].contains("range:"), "{}", requests[1]);
    }
}

#[tokio::test]
async fn a_file_that_stays_truncated_is_not_kept() {
    let cut = response("200 OK\ncontent-length: 10", "hello");
    let (saved, files, requests) = download_from_raw_server(&vec![cut; 5]).await;
    let error = saved.expect_err("cut");
    assert_eq!(
        error.raw().map(|e| e.kind()),
        Some(RawKind::ConnectionLost),
        "{error}"
    );
    assert!(files.is_empty());
    // The first, which came further than nothing, and three more.
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn an_unrequested_range_is_not_taken_for_the_file() {
    let head = "206 Partial Content\ncontent-range: bytes 0-4/10\ncontent-length: 5";
    let (saved, files, _) = download_from_raw_server(&vec![response(head, "hello"); 5]).await;
    let error = saved.expect_err("truncated");
    assert_eq!(error.kind(), ErrorKind::TruncatedFile);
    assert!(error.to_string().contains("ended after 5 bytes"), "{error}");
    assert!(files.is_empty());
}

#[tokio::test]
async fn a_success_that_holds_no_file_is_not_kept() {
    for (head, body, reason) in [
        (
            "202 Accepted\ncontent-length: 4",
            "soon",
            "not ready yet; try again later",
        ),
        (
            "202 Accepted\ncontent-length: 0",
            "",
            "not ready yet; try again later",
        ),
        ("204 No Content", "", "there is no file in such a response"),
        (
            "205 Reset Content\ncontent-length: 0",
            "",
            "there is no file in such a response",
        ),
        (
            "226 IM Used\ncontent-length: 2",
            "ok",
            "there is no file in such a response",
        ),
        ("200 OK\ncontent-length: 0", "", "the body is empty"),
        ("200 OK", "", "the body is empty"),
        (
            "200 OK\ncontent-encoding: gzip\ncontent-length: 2",
            "ok",
            "compressed (gzip)",
        ),
        ("200 OK\ncontent-encoding: BR", "ok", "compressed (BR)"),
        (
            "200 OK\ncontent-encoding: identity, zstd",
            "ok",
            "compressed (identity, zstd)",
        ),
        (
            "200 OK\ncontent-encoding: identity\ncontent-encoding: x-y",
            "ok",
            "compressed",
        ),
    ] {
        let (saved, files, requests) =
            download_from_raw_server(&vec![response(head, body); 1]).await;
        let error = saved.expect_err(head);
        assert_eq!(
            error.kind(),
            ErrorKind::UnexpectedResponse,
            "{head}: {error}"
        );
        let text = error.to_string();
        assert!(
            text.starts_with("report.html was not saved: GET http://127.0.0.1:"),
            "{text}"
        );
        assert!(text.contains(reason), "{text}");
        assert!(files.is_empty(), "{head}: {files:?}");
        assert_eq!(requests.len(), 1);
    }
    for encoding in ["identity", "Identity", ""] {
        let head = format!("200 OK\ncontent-encoding: {encoding}");
        let (saved, files, _) = download_from_raw_server(&[response(&head, "plain")]).await;
        assert_eq!((saved.expect("saved").bytes, files), (5, written("plain")));
    }
}

#[tokio::test]
async fn a_part_that_is_compressed_is_not_joined_to_the_rest() {
    let part = "206 Partial Content\netag: \"v1\"\ncontent-range: bytes 5-9/10\n\
        content-encoding: gzip\ncontent-length: 5";
    let (saved, files, _) = download_from_raw_server(&[
        response("200 OK\netag: \"v1\"\ncontent-length: 10", "hello"),
        response(part, "XXXXX"),
    ])
    .await;
    assert!(
        saved
            .as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::UnexpectedResponse),
        "{saved:?}"
    );
    assert!(files.is_empty());
}

#[tokio::test]
async fn a_file_beyond_its_limit_is_not_kept() {
    let announced = response("200 OK\ncontent-length: 10", "helloworld");
    let unannounced = response("200 OK", "helloworld");
    for head in [announced, unannounced] {
        let server = RawServer::responding([head]);
        let server = server_with_report(&format!("{}/r.html", server.origin)).await;
        let report = report_of(&client_at(&server.uri())).await;
        let directory = tempfile::tempdir().expect("a directory");
        let saved = report
            .download(directory.path().join("r.html"))
            .max_bytes(9)
            .await;
        let error = saved.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{error}");
        assert!(
            error.to_string().ends_with("larger than 9 bytes"),
            "{error}"
        );
        assert!(names_in(directory.path()).is_empty());
    }
}

#[tokio::test]
async fn progress_is_reported() {
    let server = server_with_report("/r.html").await;
    let body = "x".repeat(300_000);
    page(
        &server,
        "/r.html",
        ResponseTemplate::new(200).set_body_string(&body),
    )
    .await;
    let report = report_of(&client_at(&server.uri())).await;
    let directory = tempfile::tempdir().expect("a directory");
    let progress = Arc::new(Mutex::new(Vec::new()));
    let record = progress.clone();
    let saved = report
        .download(directory.path().join("r.html"))
        .on_progress(move |progress| {
            assert_eq!((progress.name, progress.total), ("r.html", Some(300_000)));
            record.lock().expect("a lock").push(progress.bytes);
        })
        .await
        .expect("saved");
    let progress = progress.lock().expect("a lock");
    assert!(
        progress.is_sorted() && progress.last() == Some(&saved.bytes),
        "{progress:?}"
    );
}

/// A client whose files begin and never end.
fn hanging() -> Checksum {
    Checksum::builder()
        .api_key(KEY.parse().expect("a key"))
        .base_url("https://checksum.invalid".parse().expect("a URL"))
        .retry_policy(RetryPolicy::none())
        .request_timeout(Duration::from_secs(7))
        .transport(|request: reqwest::Request| async move {
            if request.url().path().starts_with("/public-api") {
                return Ok(http::Response::new("\"/r.html\"".to_owned()).into());
            }
            let first = stream::iter([Ok::<_, std::io::Error>("begun")]);
            let body = reqwest::Body::wrap_stream(first.chain(stream::pending()));
            Ok(http::Response::new(body).into())
        })
        .build()
        .expect("a client")
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_hangs_times_out() {
    let report = report_of(&hanging()).await;
    let started = tokio::time::Instant::now();
    let (saved, files) = download(&report).await;
    let error = saved.expect_err("a time-out");
    assert_eq!(
        error.raw().map(|e| e.kind()),
        Some(RawKind::Timeout),
        "{error}"
    );
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(files.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_is_dropped_leaves_nothing() {
    let report = report_of(&hanging()).await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("r.html");
    let begun = Arc::new(tokio::sync::Notify::new());
    let notify = begun.clone();
    let download = report
        .download(&path)
        .on_progress(move |_| notify.notify_one());
    tokio::select! {
        _ = download.into_future() => panic!("it never ends"),
        () = begun.notified() => {}
    }
    assert!(names_in(directory.path()).is_empty());
}
