//! Over sockets, where the server is gone after its last response.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use checksum_api::ErrorKind;
use checksum_api_ext::{Checksum, RetryPolicy};
use checksum_tests::KEY;

use crate::{Known, STARTS, known, start};

/// Starts a server that sends the next of these heads to each connection, and is gone after the
/// last. Returns its origin, and receives the first line of each request.
fn serves(heads: &[&str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        let mut listener = Some(listener).filter(|_| !heads.is_empty());
        for (number, head) in heads.iter().enumerate() {
            let (mut stream, _) = listener
                .as_ref()
                .expect("a listener")
                .accept()
                .expect("a connection");
            if number + 1 == heads.len() {
                // Before the response, so that no later connection is accepted.
                listener = None;
            }
            sender.send(read(&stream)).expect("a test that listens");
            write!(
                stream,
                "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            .expect("written");
        }
    });
    (origin, requests)
}

/// Reads one request, and returns its first line.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).expect("a request");
    let mut length = 0;
    for line in reader.by_ref().lines() {
        let line = line.expect("a header").to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    first.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirected_start_is_sent_twice() {
    let retry = RetryPolicy::default().initial_delay(Duration::ZERO);
    for (heads, expected, sent) in [
        // No later connection is accepted.
        (
            &["302 Found\r\nlocation: /there"][..],
            Known::MayHaveStarted,
            1,
        ),
        (
            &[
                "303 See Other\r\nlocation: /there",
                "429 Too Many Requests",
                "200 OK",
            ],
            Known::MayHaveStarted,
            1,
        ),
        (
            &[
                "301 Moved Permanently\r\nlocation: /there",
                "401 Unauthorized",
            ],
            Known::MayHaveStarted,
            1,
        ),
        (
            &[
                "307 Temporary Redirect\r\nlocation: /there",
                "400 Bad Request",
            ],
            Known::NotStarted,
            2,
        ),
        (
            &["308 Permanent Redirect\r\nlocation: /there"],
            Known::NotStarted,
            1,
        ),
        (
            &[
                "307 Temporary Redirect\r\nlocation: /there",
                "302 Found\r\nlocation: /x",
                "200 OK",
            ],
            Known::MayHaveStarted,
            2,
        ),
    ] {
        for (kind, _) in STARTS {
            let (origin, requests) = serves(heads);
            let checksum = Checksum::builder()
                .api_key(KEY.parse().expect("a key"))
                .base_url(origin.parse().expect("a URL"))
                .retry_policy(retry)
                .build()
                .expect("a client");
            let outcome = start(&checksum, kind).await;
            assert_eq!(known(&outcome), expected, "{kind} {heads:?}: {outcome:?}");
            let requests: Vec<String> = requests.try_iter().collect();
            assert_eq!(requests.len(), sent, "{kind} {heads:?}: {requests:?}");
            assert!(
                requests.iter().all(|line| line.starts_with("POST ")),
                "{requests:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reqwest_client_that_follows_redirects_is_detected() {
    for (heads, kind) in [
        (
            &["302 Found\r\nlocation: /there", "400 Bad Request"][..],
            ErrorKind::Rejected,
        ),
        (
            &["302 Found\r\nlocation: /there", "401 Unauthorized"],
            ErrorKind::Unauthorized,
        ),
        (
            &["302 Found\r\nlocation: /there", "429 Too Many Requests"],
            ErrorKind::RateLimited,
        ),
    ] {
        let (origin, requests) = serves(heads);
        let follows = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let checksum = Checksum::builder()
            .api_key(KEY.parse().expect("a key"))
            .base_url(origin.parse().expect("a URL"))
            .retry_policy(RetryPolicy::default().initial_delay(Duration::ZERO))
            .transport(follows)
            .build()
            .expect("a client");
        let outcome = start(&checksum, "run").await;
        assert_eq!(
            known(&outcome),
            Known::MayHaveStarted,
            "{heads:?}: {outcome:?}"
        );
        let error = outcome.expect_err("redirected");
        assert_eq!(error.raw().map(kind_of), Some(kind));
        assert!(
            error.to_string().contains("/there; check the base URL"),
            "{error}"
        );
        let posts = requests.try_iter().filter(|line| line.starts_with("POST "));
        assert_eq!(posts.count(), 1, "{heads:?}");
    }
}

/// reqwest names the first URL in the error of a later connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_reqwest_client_that_follows_redirects_sends_no_start_twice() {
    for (policy, heads, expected, sent) in [
        (
            reqwest::redirect::Policy::default(),
            &["302 Found\r\nlocation: /there"][..],
            Known::MayHaveStarted,
            1,
        ),
        (
            reqwest::redirect::Policy::none(),
            &["302 Found\r\nlocation: /there"],
            Known::MayHaveStarted,
            1,
        ),
        // Nobody listens from the beginning.
        (
            reqwest::redirect::Policy::default(),
            &[],
            Known::MayHaveStarted,
            0,
        ),
        (reqwest::redirect::Policy::none(), &[], Known::NotStarted, 0),
    ] {
        let (origin, requests) = serves(heads);
        let case = format!("{policy:?} {heads:?}");
        let client = reqwest::Client::builder().no_proxy().redirect(policy);
        let checksum = Checksum::builder()
            .api_key(KEY.parse().expect("a key"))
            .base_url(origin.parse().expect("a URL"))
            .retry_policy(RetryPolicy::default().initial_delay(Duration::ZERO))
            .transport(client.build().expect("a client"))
            .build()
            .expect("a client");
        let outcome = start(&checksum, "run").await;
        assert_eq!(known(&outcome), expected, "{case}: {outcome:?}");
        let posts = requests.iter().filter(|line| line.starts_with("POST "));
        assert_eq!(posts.count(), sent, "{case}");
    }
}

fn kind_of(error: &checksum_api::Error) -> ErrorKind {
    error.kind()
}
