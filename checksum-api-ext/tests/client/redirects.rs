//! Redirects of requests that start work: what is sent, and whether the work may have started.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use checksum_api::ErrorKind;
use checksum_api_ext::{Checksum, Error, HealOptions, PrNumber, RetryPolicy};
use http::Response;
use reqwest::ResponseBuilderExt;

const ORIGIN: &str = "https://checksum.invalid";

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A redirect with that status to that address.
    To(u16, &'static str),
    /// A redirect that names no address.
    Nowhere(u16),
    Status(u16),
    /// The response that each of the starts takes for a success.
    Started,
    /// No connection is made.
    Refused,
    /// No response comes.
    Silence,
    /// A transport that follows redirects by itself ends there, with that status.
    Elsewhere(&'static str, u16),
}

use Step::{Elsewhere, Nowhere, Refused, Silence, Started, Status, To};

/// The requests that were made, each as its method, path and body.
type Log = Arc<Mutex<Vec<String>>>;

/// An error as it comes of a port that nobody listens on.
async fn refused() -> reqwest::Error {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let client = reqwest::Client::builder().no_proxy().build();
    let error = client.expect("a client").get(url).send().await;
    let error = error.expect_err("nobody listens");
    assert!(error.is_connect(), "{error:?}");
    error.without_url()
}

/// A client whose requests meet these steps, one after another, and nothing more.
async fn client(steps: &[Step], retry: RetryPolicy) -> (Checksum, Log) {
    let log = Log::default();
    let requests = Arc::clone(&log);
    let mut refusals = Vec::new();
    for step in steps {
        if let Refused = step {
            refusals.push(refused().await);
        }
    }
    let script: VecDeque<Step> = steps.iter().copied().collect();
    let script = Arc::new(Mutex::new((script, refusals)));
    let transport = move |request: reqwest::Request| {
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = String::from_utf8_lossy(body.unwrap_or_default()).into_owned();
        let line = format!("{} {} {body}", request.method(), request.url().path());
        requests.lock().expect("a lock").push(line);
        assert_eq!(
            request.headers()["authorization"],
            format!("Bearer {}", crate::KEY)
        );
        let mut script = script.lock().expect("a lock");
        let step = script.0.pop_front();
        let refusal = match step {
            Some(Refused) => script.1.pop(),
            _ => None,
        };
        async move {
            let response = Response::builder();
            let response = match step.expect("no more requests than steps") {
                To(status, target) => response.status(status).header("location", target).body(""),
                Nowhere(status) | Status(status) => response.status(status).body(""),
                Started => response
                    .status(200)
                    .body(r#"{"name":"job","batchId":"batch","sessionId":"session","sessionIds":[],"failureCount":0,"testIds":[]}"#),
                Refused => return Err(refusal.expect("an error").into()),
                Silence => std::future::pending().await,
                Elsewhere(url, status) => response
                    .status(status)
                    .url(url.parse().expect("a URL"))
                    .body(r#"{"name":1}"#),
            };
            Ok(response.expect("a response").into())
        }
    };
    let checksum = Checksum::builder()
        .api_key(crate::KEY.parse().expect("a key"))
        .base_url(ORIGIN.parse().expect("a URL"))
        .retry_policy(retry)
        .transport(transport)
        .build()
        .expect("a client");
    (checksum, log)
}

/// Each kind of start, with its path.
const STARTS: [(&str, &str); 3] = [
    ("run", "/public-api/v1/execution/tests"),
    ("heal", "/public-api/v1/auto-heal"),
    ("generate", "/public-api/v1/auto-generate"),
];

async fn start(checksum: &Checksum, kind: &str) -> Result<(), Error> {
    match kind {
        "run" => {
            let run = checksum.run_tests(["id".parse().expect("an id")]);
            run.start().await.map(drop)
        }
        "heal" => {
            let id = "run-id".parse().expect("an id");
            let options = HealOptions::no_pull_request();
            checksum.heal(id, options).start().await.map(drop)
        }
        _ => {
            let repository = "acme-co/webapp".parse().expect("a name");
            checksum
                .generate(repository, PrNumber::new(42).expect("a number"), "main")
                .start()
                .await
                .map(drop)
        }
    }
}

/// What is known of the work after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Started,
    MayHaveStarted,
    NotStarted,
}

fn known(outcome: &Result<(), Error>) -> Known {
    match outcome {
        Ok(()) => Known::Started,
        Err(error) => match error.started() {
            checksum_api_ext::Started::No => Known::NotStarted,
            checksum_api_ext::Started::Maybe => Known::MayHaveStarted,
            checksum_api_ext::Started::Yes => panic!("{error}"),
        },
    }
}

/// Starts work of each kind, and compares the requests, as paths after the first (`.` for the
/// start's own), and what is known then.
async fn check(steps: &[Step], expected: Known, requests: &[&str]) {
    for (kind, own) in STARTS {
        let (checksum, log) = client(steps, RetryPolicy::default()).await;
        tokio::time::pause();
        let outcome = start(&checksum, kind).await;
        tokio::time::resume();
        assert_eq!(known(&outcome), expected, "{kind} {steps:?}: {outcome:?}");
        let log = log.lock().expect("a lock");
        let body = log[0].splitn(3, ' ').nth(2).expect("a body");
        assert!(body.starts_with('{'), "{body}");
        let paths = requests.iter().map(|path| match *path {
            "." => own,
            path => path,
        });
        let posts: Vec<String> = paths.map(|path| format!("POST {path} {body}")).collect();
        assert_eq!(*log, posts, "{kind} {steps:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_method_is_not_followed_and_may_have_started_the_work() {
    for status in [300, 301, 302, 303, 304, 305, 306, 399] {
        check(&[To(status, "/login")], Known::MayHaveStarted, &["."]).await;
        check(&[Nowhere(status)], Known::MayHaveStarted, &["."]).await;
        let elsewhere = To(status, "https://elsewhere.invalid/");
        check(&[elsewhere], Known::MayHaveStarted, &["."]).await;
    }
}

#[tokio::test]
async fn a_redirect_that_keeps_the_method_is_followed_with_the_body() {
    for status in [307, 308] {
        let there = To(status, "/there");
        check(&[there, Started], Known::Started, &[".", "/there"]).await;
        let absolute = To(status, "https://user:pw@checksum.invalid/there#part");
        check(&[absolute, Started], Known::Started, &[".", "/there"]).await;
        let chain = [there, To(308, "/a"), To(307, "/b"), Started];
        check(&chain, Known::Started, &[".", "/there", "/a", "/b"]).await;
    }
}

#[tokio::test]
async fn what_counts_is_whether_any_request_of_the_chain_may_have_been_acted_on() {
    for status in [307, 308] {
        let there = To(status, "/there");
        let both = [".", "/there"];
        for end in [
            Status(500),
            Status(502),
            Status(503),
            Status(408),
            Silence,
            To(302, "/login"),
        ] {
            check(&[there, end], Known::MayHaveStarted, &both).await;
        }
        for end in [
            Status(400),
            Status(401),
            Status(403),
            Status(404),
            Status(422),
        ] {
            check(&[there, end], Known::NotStarted, &both).await;
        }
        // Certainly not acted on, and sent again from the start.
        for end in [Status(429), Refused] {
            let again = [there, end, Started];
            check(&again, Known::Started, &[".", "/there", "."]).await;
            let never = [there, end, there, end, there, end, there, end];
            let requests = [".", "/there", ".", "/there", ".", "/there", ".", "/there"];
            check(&never, Known::NotStarted, &requests).await;
        }
    }
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_and_keeps_the_method_has_started_nothing() {
    for status in [307, 308] {
        for target in [
            "https://elsewhere.invalid/",
            "http://checksum.invalid/",
            "//a.invalid/b",
        ] {
            check(&[To(status, target)], Known::NotStarted, &["."]).await;
        }
        check(&[Nowhere(status)], Known::NotStarted, &["."]).await;
        check(&[To(status, "https://[")], Known::NotStarted, &["."]).await;
        let around = [To(status, "/a"); 6];
        let requests = [".", "/a", "/a", "/a", "/a", "/a"];
        check(&around, Known::NotStarted, &requests).await;
    }
}

#[tokio::test]
async fn a_transport_that_follows_redirects_by_itself_may_have_started_the_work() {
    for status in [400, 401, 403, 404, 429, 500, 307, 302, 200] {
        let login = Elsewhere("https://checksum.invalid/login", status);
        let away = Elsewhere("https://elsewhere.invalid/", status);
        for step in [login, away] {
            check(&[step], Known::MayHaveStarted, &["."]).await;
        }
    }
}

#[tokio::test]
async fn the_message_says_who_redirected_where_and_what_to_check() {
    let target = "https://login.invalid/sign-in?next=private#private";
    for (step, reason) in [
        (
            To(302, target),
            "since the service may have acted on it before",
        ),
        (
            To(307, target),
            "since the API key is for the origin of the base URL alone",
        ),
    ] {
        let (checksum, _) = client(&[step], RetryPolicy::default()).await;
        let error = start(&checksum, "run").await.expect_err("redirected");
        let request = error.raw().expect("a request");
        assert_eq!(request.kind(), ErrorKind::Redirect);
        assert!(!request.is_transient());
        assert_eq!(
            request.message(),
            format!(
                "https://checksum.invalid/public-api/v1/execution/tests redirected the request to \
                 https://login.invalid/sign-in, which was not followed, {reason}; \
                 check the base URL"
            )
        );
    }
}

/// A server that answers each connection with the next of these heads, and is gone after the last.
/// It tells the first line of each request.
fn serves(heads: &[&str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        let mut listener = Some(listener);
        for (number, head) in heads.iter().enumerate() {
            let (mut stream, _) = listener
                .as_ref()
                .expect("a listener")
                .accept()
                .expect("a connection");
            if number + 1 == heads.len() {
                // Before the response, so that whatever follows it is refused.
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

/// Reads one request, and gives its first line.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).expect("a request");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    first.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_socket_no_redirected_start_is_sent_twice() {
    let retry = RetryPolicy::default().initial_delay(Duration::ZERO);
    for (heads, expected, sent) in [
        // The last connection is refused.
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
                .api_key(crate::KEY.parse().expect("a key"))
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
async fn a_client_of_reqwest_as_transport_follows_and_gives_itself_away() {
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
            .api_key(crate::KEY.parse().expect("a key"))
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

fn kind_of(error: &checksum_api::Error) -> ErrorKind {
    error.kind()
}

#[tokio::test]
async fn reads_follow_every_redirect_within_the_origin() {
    let project = Step::Started;
    for status in [301, 302, 303, 307, 308] {
        let chain = [To(status, "/a"), To(302, "b"), project];
        let (checksum, log) = client(&chain, RetryPolicy::none()).await;
        // The body is none of a project, which shows that it was reached.
        let error = checksum.project().await.expect_err("no project");
        assert_eq!(error.raw().map(kind_of), Some(ErrorKind::UnexpectedBody));
        let requests = log.lock().expect("a lock").clone();
        assert_eq!(requests, ["GET /public-api/v1/me ", "GET /a ", "GET /b "]);

        for (steps, sent) in [
            (&[To(status, "https://elsewhere.invalid/")][..], 1),
            (&[Nowhere(status)], 1),
            (&[To(status, "/a"); 6], 6),
        ] {
            let (checksum, log) = client(steps, RetryPolicy::none()).await;
            let error = checksum.project().await.expect_err("redirected");
            assert_eq!(error.raw().map(kind_of), Some(ErrorKind::Redirect));
            assert_eq!(log.lock().expect("a lock").len(), sent, "{steps:?}");
        }
    }
}
