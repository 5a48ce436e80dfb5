//! Downloads whose time is exact: those that make no progress, and those of many files at once.

use std::time::Duration;

use checksum_api_ext::{Download, DownloadedFile, Error, ErrorKind, RetryPolicy};
use checksum_tests::{FakeRequest, FakeResponse, FakeTransport};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// A server of one file of this size, which sends so many bytes every so often. Only the first
/// `slow` requests get that; the others get the rest at once.
fn server(size: usize, pace: (usize, Duration), slow: usize) -> FakeTransport {
    let count = std::sync::atomic::AtomicUsize::new(0);
    FakeTransport::new(move |request| {
        if request.path != "/trace.zip" {
            return json!([{ "url": "/trace.zip" }]).into();
        }
        let start = range(request).unwrap_or_default();
        let rest: Vec<u8> = (start..size).map(byte).collect();
        let response = match start {
            0 => FakeResponse::status(200).header("content-length", size.to_string()),
            _ => FakeResponse::status(206).header(
                "content-range",
                format!("bytes {start}-{}/{size}", size - 1),
            ),
        };
        let response = response.header("etag", "\"v1\"").body(rest);
        match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            before if before < slow => response.pace(pace.0, pace.1),
            _ => response,
        }
    })
}

fn range(request: &FakeRequest) -> Option<usize> {
    let range = request.headers.get("range")?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}

fn byte(index: usize) -> u8 {
    (index % 251) as u8
}

/// Downloads the file. Returns the seconds that it took, and where each request for it began.
async fn download(
    transport: &FakeTransport,
    set: impl FnOnce(Download) -> Download,
) -> (Result<DownloadedFile, Error>, u64, Vec<usize>) {
    let checksum = transport
        .builder()
        .retry_policy(RetryPolicy::default().seed(1))
        .build()
        .expect("a client");
    let test_run = checksum.test_run("run-id".parse().expect("an id"));
    let attachments = test_run.attachments("test-id".parse().expect("an id"));
    let attachments = attachments.await.expect("a list");
    let one = attachments.iter().next().expect("a file");
    let directory = tempfile::tempdir().expect("a directory");
    let began = Instant::now();
    let saved = set(one.download(directory.path())).await;
    let took = began.elapsed().as_secs();
    let log = transport.log();
    let files = log.iter().filter(|request| request.path == "/trace.zip");
    if let Ok(file) = &saved {
        let bytes = std::fs::read(&file.path).expect("a file");
        let is_right = |(index, value): (usize, &u8)| *value == byte(index);
        assert!(bytes.iter().enumerate().all(is_right));
    } else {
        let mut left = std::fs::read_dir(directory.path()).expect("a directory");
        assert!(left.next().is_none(), "no part of the file is kept");
    }
    let starts = files.map(|request| range(request).unwrap_or_default());
    (saved, took, starts.collect())
}

#[tokio::test(start_paused = true)]
async fn a_trickle_does_not_hold_a_download_for_ever() {
    let transport = server(1_000_000, (1, 10 * SECOND), usize::MAX);
    let (saved, took, starts) = download(&transport, |download| download).await;
    let error = saved.expect_err("a trickle");
    assert_eq!(error.kind(), ErrorKind::StalledDownload);
    assert!(error.is_transient());
    assert_eq!(
        error.to_string(),
        "trace.zip arrives too slowly: fewer than 4096 bytes in 30s"
    );
    // Each attempt continues where the one before it stopped.
    assert_eq!(starts.len(), 4, "{starts:?}");
    assert!(starts.is_sorted() && starts[1] > 0, "{starts:?}");
    assert!((120..130).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_large_file_over_a_slow_and_steady_connection_arrives() {
    // 200 bytes in a second, for more than an hour.
    let transport = server(1_000_000, (2_000, 10 * SECOND), usize::MAX);
    let (saved, took, starts) = download(&transport, |download| download).await;
    assert_eq!(saved.expect("a file").bytes, 1_000_000);
    assert_eq!((took, starts), (5_000, vec![0]));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_below_its_own_minimum_is_resumed() {
    let transport = server(100_000, (100, SECOND), 2);
    let (saved, took, starts) =
        download(&transport, |one| one.min_throughput(2_000, 10 * SECOND)).await;
    assert_eq!(saved.expect("a file").bytes, 100_000);
    assert_eq!(starts.len(), 3);
    assert!(starts[1] >= 900 && starts[2] >= 1_800, "{starts:?}");
    assert!((20..25).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn without_a_minimum_every_byte_is_awaited() {
    let transport = server(50, (1, 10 * SECOND), usize::MAX);
    let (saved, took, starts) = download(&transport, |one| one.min_throughput(0, SECOND)).await;
    assert_eq!(saved.expect("a file").bytes, 50);
    assert_eq!((took, starts), (500, vec![0]));
}

/// A connection that breaks often still gets the file, as long as each attempt makes progress.
#[tokio::test(start_paused = true)]
async fn attempts_that_make_progress_are_not_counted() {
    // Each part takes longer than the request timeout allows after the first one.
    let transport = server(80_000, (10_000, 20 * SECOND), usize::MAX);
    let (saved, _, starts) =
        download(&transport, |one| one.min_throughput(10_001, 30 * SECOND)).await;
    assert!(saved.is_err_and(|error| error.kind() == ErrorKind::StalledDownload));
    assert_eq!(starts.len(), 4, "10,000 bytes are less than the minimum");

    let transport = FakeTransport::new(|request| {
        if request.path != "/trace.zip" {
            return json!([{ "url": "/trace.zip" }]).into();
        }
        let start = range(request).unwrap_or_default();
        let body: Vec<u8> = (start..start + 10_000).map(byte).collect();
        let response = match start {
            0 => FakeResponse::status(200).header("content-length", "100000"),
            _ => FakeResponse::status(206)
                .header("content-range", format!("bytes {start}-99999/100000")),
        };
        response.header("etag", "\"v1\"").body(body)
    });
    let (saved, _, starts) = download(&transport, |download| download).await;
    assert_eq!(saved.expect("a file").bytes, 100_000);
    assert_eq!(starts.len(), 10);
}

/// 100 attachments at 50 ms for each response, of one test and of 100 tests.
#[tokio::test(start_paused = true)]
async fn many_attachments_are_one_bounded_stream() {
    for (tests, files, most) in [(1, 100, 150), (100, 1, 200)] {
        let transport = FakeTransport::new(move |request| {
            if request.path.starts_with("/f/") {
                return FakeResponse::status(200).body("content");
            }
            let urls =
                (0..files).map(|file| format!("/f{}/{file}.zip", request.path.replace("/v1", "")));
            json!(urls.collect::<Vec<_>>()).into()
        })
        .latency(Duration::from_millis(50));
        let checksum = transport.client();
        let test_run = checksum.test_run("run-id".parse().expect("an id"));
        let ids: Vec<_> = (0..tests)
            .map(|test| format!("test/{test}").parse().expect("an id"))
            .collect();
        let directory = tempfile::tempdir().expect("a directory");
        let began = Instant::now();
        let attachments = test_run.attachments_of(ids.clone());
        let stream = attachments.download_to(directory.path()).into_stream();
        let found: Vec<_> = stream.collect().await;
        let took = began.elapsed().as_millis();
        assert!(took <= most, "{took} ms for {tests} tests");
        assert_eq!(transport.max_in_flight(), 50);
        assert!(found.iter().map(|test| &test.test_id).eq(&ids), "in order");
        for (index, test) in found.iter().enumerate() {
            assert_eq!(test.attachments.as_ref().expect("a list").len(), files);
            assert_eq!(test.files.len(), files);
            let own = directory.path().join(format!("test%2F{index}"));
            for file in &test.files {
                let file = file.as_ref().expect("a file");
                assert_eq!(file.path.parent(), Some(&*own));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_that_cannot_be_listed_does_not_stop_the_others() {
    let transport = FakeTransport::new(|request| match request.path.as_str() {
        path if path.contains("/b/") => FakeResponse::status(403).body("{}"),
        "/a.zip" => FakeResponse::status(404),
        "/c.zip" => FakeResponse::status(200).body("c"),
        path if path.contains("/a/") => json!(["/a.zip", "/c.zip"]).into(),
        _ => json!(["/c.zip"]).into(),
    });
    let test_run = transport
        .client()
        .test_run("run-id".parse().expect("an id"));
    let ids = ["a", "b", "c"].map(|id| id.parse().expect("an id"));
    let directory = tempfile::tempdir().expect("a directory");
    let stream = test_run
        .attachments_of(ids.clone())
        .download_to(directory.path())
        .max_concurrent(1)
        .into_stream();
    let found: Vec<_> = stream.collect().await;
    let files =
        |test: usize| -> Vec<bool> { found[test].files.iter().map(Result::is_ok).collect() };
    assert_eq!((files(0), files(2)), (vec![false, true], vec![true]));
    let error = found[1].attachments.as_ref().expect_err("403");
    assert!(error.is_forbidden() && found[1].files.is_empty());
    assert_eq!(transport.max_in_flight(), 1);

    // Without a directory, nothing is downloaded.
    let found: Vec<_> = test_run.attachments_of(ids).into_stream().collect().await;
    assert!(found.iter().all(|test| test.files.is_empty()));
}
