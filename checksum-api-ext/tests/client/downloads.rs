use std::sync::{Arc, Mutex};
use std::time::Duration;

use checksum_api_ext::{Checksum, DownloadedFile, Error, ErrorKind, HtmlReport, RetryPolicy};
use futures_util::{StreamExt, stream};
use serde_json::json;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::attachments::names_in;
use crate::wire::{Wire, answer};
use crate::{KEY, client_at};

/// A server whose report is at that address.
async fn server_with_report(address: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/public-api/v1/test-runs/run-id/report"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "url": address })))
        .mount(&server)
        .await;
    server
}

async fn report_of(checksum: &Checksum) -> HtmlReport {
    let run = checksum.test_run("run-id".parse().expect("an id"));
    run.report().await.expect("a report")
}

/// Downloads the report, and tells what is then in the directory beside the outcome.
async fn download(report: &HtmlReport) -> (Result<DownloadedFile, Error>, Vec<(String, String)>) {
    let directory = tempfile::tempdir().expect("a directory");
    let outcome = report.download(directory.path().join("report.html")).await;
    let read = |name: String| {
        let text = std::fs::read_to_string(directory.path().join(&name)).expect("a file");
        (name, text)
    };
    (
        outcome,
        names_in(directory.path()).into_iter().map(read).collect(),
    )
}

fn written(text: &str) -> Vec<(String, String)> {
    vec![("report.html".to_owned(), text.to_owned())]
}

/// The `Authorization` of the requests to a path.
async fn keys_at(server: &MockServer, at: &str) -> Vec<Option<String>> {
    let requests = server.received_requests().await.expect("recorded");
    let to_path = requests.iter().filter(|request| request.url.path() == at);
    to_path
        .map(|request| {
            let key = request.headers.get("authorization")?;
            Some(key.to_str().expect("text").to_owned())
        })
        .collect()
}

async fn page(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at))
        .respond_with(response)
        .mount(server)
        .await;
}

fn redirect_to(target: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("location", target)
}

fn with_key() -> Vec<Option<String>> {
    vec![Some(format!("Bearer {KEY}"))]
}

#[tokio::test]
async fn the_key_goes_to_the_own_origin() {
    let server = server_with_report("/r.html").await;
    page(
        &server,
        "/r.html",
        ResponseTemplate::new(200).set_body_string("own"),
    )
    .await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!((saved.expect("saved").bytes, files), (3, written("own")));
    assert_eq!(keys_at(&server, "/r.html").await, with_key());
}

#[tokio::test]
async fn the_key_goes_to_no_other_origin() {
    let elsewhere = MockServer::start().await;
    page(
        &elsewhere,
        "/r.html",
        ResponseTemplate::new(200).set_body_string("foreign"),
    )
    .await;
    let server = server_with_report(&format!("{}/r.html?signature=a", elsewhere.uri())).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!(
        (saved.expect("saved").bytes, files),
        (7, written("foreign"))
    );
    assert_eq!(keys_at(&elsewhere, "/r.html").await, [None]);
    let requests = elsewhere.received_requests().await.expect("recorded");
    let has_key = |request: &wiremock::Request| format!("{request:?}").contains(KEY);
    assert!(!requests.iter().any(has_key));
}

#[tokio::test]
async fn a_redirect_away_drops_the_key_and_one_back_does_not_bring_it() {
    let elsewhere = MockServer::start().await;
    let server = server_with_report("/r.html").await;
    page(&server, "/r.html", redirect_to("/near")).await;
    page(
        &server,
        "/near",
        redirect_to(&format!("{}/far", elsewhere.uri())),
    )
    .await;
    page(&elsewhere, "/far", redirect_to("/further")).await;
    page(
        &elsewhere,
        "/further",
        redirect_to(&format!("{}/back", server.uri())),
    )
    .await;
    page(
        &server,
        "/back",
        ResponseTemplate::new(200).set_body_string("back"),
    )
    .await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!((saved.expect("saved").bytes, files), (4, written("back")));
    assert_eq!(keys_at(&server, "/r.html").await, with_key());
    assert_eq!(keys_at(&server, "/near").await, with_key());
    assert_eq!(keys_at(&elsewhere, "/far").await, [None]);
    assert_eq!(keys_at(&elsewhere, "/further").await, [None]);
    assert_eq!(keys_at(&server, "/back").await, [None]);
}

#[tokio::test]
async fn redirects_end() {
    let elsewhere = MockServer::start().await;
    Mock::given(any())
        .respond_with(redirect_to("/again"))
        .mount(&elsewhere)
        .await;
    let server = server_with_report(&format!("{}/r.html", elsewhere.uri())).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    let error = saved.expect_err("no end");
    assert_eq!(
        error.request().map(|e| e.kind()),
        Some(ErrorKind::Redirect),
        "{error}"
    );
    assert!(files.is_empty());
}

#[tokio::test]
async fn nothing_is_got_over_plain_http_from_elsewhere() {
    for (address, target) in [
        ("http://files.example/r.html?signature=hunter2", None),
        (
            "/r.html",
            Some("http://files.example/r.html?signature=hunter2"),
        ),
        ("/r.html", Some("file:///etc/passwd")),
    ] {
        let server = server_with_report(address).await;
        if let Some(target) = target {
            page(&server, "/r.html", redirect_to(target)).await;
        }
        let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
        let error = saved.expect_err("refused");
        assert_eq!(
            error.request().map(|e| e.kind()),
            Some(ErrorKind::InvalidRequest)
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(files.is_empty());
    }
}

#[tokio::test]
async fn a_refusal_says_where_and_what() {
    let server = server_with_report("/r.html?signature=hunter2").await;
    let gone = ResponseTemplate::new(410).set_body_json(json!({ "message": "expired" }));
    page(&server, "/r.html", gone).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    let error = saved.expect_err("gone");
    let expected = format!("410 Gone: GET {}/r.html: expired", server.uri());
    assert_eq!(error.to_string(), expected);
    assert!(files.is_empty());
}

/// Downloads a report that a wire serves, and gives the requests that this took.
async fn over_the_wire(
    answers: &[String],
) -> (
    Result<DownloadedFile, Error>,
    Vec<(String, String)>,
    Vec<String>,
) {
    let wire = Wire::answering(answers.iter().cloned());
    let server = server_with_report(&format!("{}/r.html", wire.origin)).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    (saved, files, wire.requests())
}

#[tokio::test]
async fn a_transfer_that_breaks_goes_on_where_it_stopped() {
    let (saved, files, requests) = over_the_wire(&[
        answer("200 OK\netag: \"v1\"\ncontent-length: 10", "hello"),
        answer("503 Service Unavailable\ncontent-length: 0", ""),
        answer(
            "206 Partial Content\netag: \"v1\"\ncontent-range: bytes 5-9/10\ncontent-length: 5",
            "wo",
        ),
        answer(
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
async fn a_transfer_starts_again_where_it_cannot_go_on() {
    let cut = answer("200 OK\netag: \"v1\"\ncontent-length: 10", "hello");
    let whole = answer("200 OK\netag: \"v2\"\ncontent-length: 5", "other");
    let part = |head: &str| {
        answer(
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
        vec![answer("416 Range Not Satisfiable\ncontent-length: 0", "")],
    ] {
        let mut answers = vec![cut.clone()];
        answers.extend(between);
        answers.push(whole.clone());
        let (saved, files, requests) = over_the_wire(&answers).await;
        assert_eq!((saved.expect("saved").bytes, files), (5, written("other")));
        assert_eq!(requests.len(), answers.len());
    }
}

#[tokio::test]
async fn without_a_strong_tag_no_part_is_asked_for() {
    for tag in ["", "etag: W/\"v1\"\n"] {
        let (saved, files, requests) = over_the_wire(&[
            answer(&format!("200 OK\n{tag}content-length: 10"), "hello"),
            answer("200 OK\ncontent-length: 10", "helloworld"),
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
async fn a_file_that_never_comes_whole_is_not_kept() {
    let cut = answer("200 OK\ncontent-length: 10", "hello");
    let (saved, files, requests) = over_the_wire(&vec![cut; 5]).await;
    let error = saved.expect_err("cut");
    assert_eq!(
        error.request().map(|e| e.kind()),
        Some(ErrorKind::ConnectionLost),
        "{error}"
    );
    assert!(files.is_empty());
    // The first, which came further than nothing, and three more.
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_not_taken_for_the_file() {
    let head = "206 Partial Content\ncontent-range: bytes 0-4/10\ncontent-length: 5";
    let (saved, files, _) = over_the_wire(&vec![answer(head, "hello"); 5]).await;
    assert!(
        matches!(saved, Err(Error::FileCutShort { bytes: 5, .. })),
        "{saved:?}"
    );
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
        let (saved, files, requests) = over_the_wire(&vec![answer(head, body); 1]).await;
        let error = saved.expect_err(head);
        assert!(matches!(error, Error::UnfitFile { .. }), "{head}: {error}");
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
        let (saved, files, _) = over_the_wire(&[answer(&head, "plain")]).await;
        assert_eq!((saved.expect("saved").bytes, files), (5, written("plain")));
    }
}

#[tokio::test]
async fn a_part_that_is_compressed_is_not_joined_to_the_rest() {
    let part = "206 Partial Content\netag: \"v1\"\ncontent-range: bytes 5-9/10\n\
        content-encoding: gzip\ncontent-length: 5";
    let (saved, files, _) = over_the_wire(&[
        answer("200 OK\netag: \"v1\"\ncontent-length: 10", "hello"),
        answer(part, "XXXXX"),
    ])
    .await;
    assert!(matches!(saved, Err(Error::UnfitFile { .. })), "{saved:?}");
    assert!(files.is_empty());
}

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
    assert!(matches!(error, Error::File { .. }), "{error}");
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
async fn a_pipe_that_nobody_reads_holds_nothing_but_its_download() {
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
async fn a_file_beyond_its_limit_is_not_kept() {
    let announced = answer("200 OK\ncontent-length: 10", "helloworld");
    let unannounced = answer("200 OK", "helloworld");
    for head in [announced, unannounced] {
        let wire = Wire::answering([head]);
        let server = server_with_report(&format!("{}/r.html", wire.origin)).await;
        let report = report_of(&client_at(&server.uri())).await;
        let directory = tempfile::tempdir().expect("a directory");
        let saved = report
            .download(directory.path().join("r.html"))
            .max_bytes(9)
            .await;
        let error = saved.expect_err("too large");
        assert!(
            matches!(error, Error::FileTooLarge { limit: 9, .. }),
            "{error}"
        );
        assert!(names_in(directory.path()).is_empty());
    }
}

#[tokio::test]
async fn progress_is_told() {
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
    let told = Arc::new(Mutex::new(Vec::new()));
    let record = told.clone();
    let saved = report
        .download(directory.path().join("r.html"))
        .on_progress(move |progress| {
            assert_eq!((progress.name, progress.total), ("r.html", Some(300_000)));
            record.lock().expect("a lock").push(progress.bytes);
        })
        .await
        .expect("saved");
    let told = told.lock().expect("a lock");
    assert!(
        told.is_sorted() && told.last() == Some(&saved.bytes),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_named() {
    let server = server_with_report("/r.html").await;
    let report = report_of(&client_at(&server.uri())).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("written");
    for path in [file.join("below"), directory.path().join("..")] {
        let error = report.download(&path).await.expect_err("no place");
        assert!(matches!(error, Error::File { .. }), "{error}");
    }
    // Asked for nothing but the address.
    assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
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
async fn a_transfer_that_hangs_is_given_up() {
    let report = report_of(&hanging()).await;
    let started = tokio::time::Instant::now();
    let (saved, files) = download(&report).await;
    let error = saved.expect_err("a time-out");
    assert_eq!(
        error.request().map(|e| e.kind()),
        Some(ErrorKind::Timeout),
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
    let told = begun.clone();
    let download = report
        .download(&path)
        .on_progress(move |_| told.notify_one());
    tokio::select! {
        _ = download.into_future() => panic!("it never ends"),
        () = begun.notified() => {}
    }
    assert!(names_in(directory.path()).is_empty());
}
